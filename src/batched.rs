//! Reads that are asked for at the same time become one query: what group commit is for writes.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

/// Keys that one query reads at most.
const BATCH: usize = 256;

/// What a batch of reads gives.
pub type Found<K, V> = Pin<Box<dyn Future<Output = sqlx::Result<HashMap<K, V>>> + Send>>;

type Asked<K, V> = (K, oneshot::Sender<Result<Option<V>, Arc<sqlx::Error>>>);

/// Looks keys up, many at a time: while one query is under way the next keys gather.
pub struct Batched<K, V> {
    queue: mpsc::Sender<Asked<K, V>>,
}

impl<K, V> Batched<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Starts the task that reads with `find`. It ends with the last handle.
    pub fn start(find: impl Fn(Vec<K>) -> Found<K, V> + Send + 'static) -> Self {
        let (queue, mut asked) = mpsc::channel::<Asked<K, V>>(BATCH * 4);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while asked.recv_many(&mut batch, BATCH).await > 0 {
                let keys = batch.iter().map(|(key, _)| key.clone()).collect();
                let found = find(keys).await.map_err(Arc::new);
                for (key, reply) in batch.drain(..) {
                    let answer = match &found {
                        Ok(found) => Ok(found.get(&key).cloned()),
                        Err(error) => Err(Arc::clone(error)),
                    };
                    // Nobody waits any more: nothing is lost.
                    drop(reply.send(answer));
                }
            }
        });
        Self { queue }
    }

    /// One value. The query starts after the question was asked, so it sees everything committed before.
    pub async fn find(&self, key: K) -> Result<Option<V>, Arc<sqlx::Error>> {
        let (reply, answer) = oneshot::channel();
        let closed = || Arc::new(sqlx::Error::PoolClosed);
        self.queue.send((key, reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}
