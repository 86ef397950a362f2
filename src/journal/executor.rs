//! Load, handle, collect, append, retry: commands against aggregates.

use std::collections::BTreeSet;

use aggregates::{Refusal, Stream};
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError};
use cqrs_es::{AggregateContext, EventEnvelope};

use super::{Append, AppendError, Appended, Context, Expected, Journal, Known, StreamId};

/// How often a command is decided again when its stream moved on meanwhile.
const ATTEMPTS: usize = 8;

/// An aggregate as its stream says it is.
#[derive(Clone)]
pub struct Loaded<A> {
    /// The stream's id.
    pub id: String,
    /// The state.
    pub aggregate: A,
    /// The stream's version; 0 = it doesn't exist.
    pub version: i64,
    claims: Vec<String>,
}

impl<A: Stream> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl<A: Stream> Loaded<A> {
    /// A stream that doesn't exist yet.
    pub fn new(id: &(impl ToString + ?Sized)) -> Self {
        Self { id: id.to_string(), aggregate: A::default(), version: 0, claims: Vec::new() }
    }

    /// A stream that is known to be so at this version.
    pub fn at(id: &(impl ToString + ?Sized), aggregate: A, version: i64) -> Self {
        let claims = aggregate.claims();
        Self { id: id.to_string(), aggregate, version, claims }
    }

    /// Lets the aggregate decide; gives what is to be appended, `None` when nothing happened.
    pub async fn decide(self, command: A::Command, context: Context) -> Result<(A, Option<Append>), Refusal> {
        self.decide_all(vec![command], context).await
    }

    /// Lets the aggregate decide several times, each time as the one before left it; gives what is to be appended together.
    pub async fn decide_all(
        mut self,
        commands: Vec<A::Command>,
        context: Context,
    ) -> Result<(A, Option<Append>), Refusal> {
        let sink = EventSink::default();
        for command in commands {
            self.aggregate.handle(command, &(), &sink).await?;
        }
        let events = sink.collect().await;
        if events.is_empty() {
            return Ok((self.aggregate, None));
        }
        let append = self.append_of(events, context);
        Ok((self.aggregate, Some(append)))
    }

    pub(super) fn append_of(&self, events: Vec<A::Event>, context: Context) -> Append {
        let stream = StreamId::of::<A>(&self.id);
        let before: BTreeSet<&String> = self.claims.iter().collect();
        let claims = self.aggregate.claims();
        let after: BTreeSet<&String> = claims.iter().collect();
        let take = after.difference(&before).map(|claim| ((*claim).clone(), stream.clone())).collect();
        let release = before.difference(&after).map(|claim| ((*claim).clone(), stream.clone())).collect();
        let expected = if self.version == 0 { Expected::New } else { Expected::Version(self.version) };
        let events = events.into_iter().map(Into::into).collect();
        Append { take, release, ..Append::one(stream, expected, events, context) }
    }
}

/// A command was carried out.
#[derive(Debug, Clone)]
pub struct Executed<A> {
    /// The state after it.
    pub aggregate: A,
    /// The stream's version after it.
    pub version: i64,
    /// Where its events are; `None` = it changed nothing.
    pub appended: Option<Appended>,
}

/// A command wasn't carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The writer said no.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The tables that the command needs can't be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<PersistenceError> for CommandError {
    fn from(error: PersistenceError) -> Self {
        Self::Append(AppendError::Unavailable(error.to_string()))
    }
}

impl Journal {
    /// Loads a stream through postgres-es.
    pub async fn load<A: Stream>(&self, id: impl ToString) -> Result<Loaded<A>, PersistenceError> {
        self.load_until(id, i64::MAX).await
    }

    /// Loads a stream as it was at a version.
    pub async fn load_until<A: Stream>(&self, id: impl ToString, version: i64) -> Result<Loaded<A>, PersistenceError> {
        let id = id.to_string();
        let mut loaded = Loaded::<A>::new(&id);
        for event in self.repository.get_events::<A>(&id).await? {
            if event.sequence as i64 > version {
                break;
            }
            let envelope: EventEnvelope<A> = event.try_into()?;
            loaded.version = envelope.sequence as i64;
            loaded.aggregate.apply(envelope.payload);
        }
        loaded.claims = loaded.aggregate.claims();
        Ok(loaded)
    }

    /// Carries out a command on a stream that doesn't exist yet.
    pub async fn create<A: Stream + Clone>(
        &self,
        id: impl ToString,
        command: A::Command,
        context: Context,
    ) -> Result<Executed<A>, CommandError> {
        let (aggregate, append) = Loaded::<A>::new(&id).decide(command, context).await?;
        let Some(append) = append else { return Ok(Executed { aggregate, version: 0, appended: None }) };
        let version = events_of(&append);
        let appended = self.append(append).await?;
        Ok(Executed { aggregate, version, appended: Some(appended) })
    }

    /// Carries out a command on a stream; decided again when the stream moved on meanwhile.
    ///
    /// `demanded` is the version that it must have (`If-Match`); then a stream that moved on is a conflict at once.
    pub async fn execute<A>(
        &self,
        id: impl ToString,
        command: A::Command,
        demanded: Option<i64>,
        context: Context,
    ) -> Result<Executed<A>, CommandError>
    where
        A: Stream<Command: Clone> + Clone,
    {
        let loaded = self.load::<A>(id).await?;
        self.execute_on(loaded, command, demanded, context).await
    }

    /// As [`Journal::execute`], on a stream that was loaded already.
    pub async fn execute_on<A>(
        &self,
        loaded: Loaded<A>,
        command: A::Command,
        demanded: Option<i64>,
        context: Context,
    ) -> Result<Executed<A>, CommandError>
    where
        A: Stream<Command: Clone> + Clone,
    {
        self.repeat(loaded, &|_: &A| Ok::<_, CommandError>(command.clone()), demanded, &context).await
    }

    /// As [`Journal::execute`], without loading the stream where `known` holds it.
    ///
    /// `command` is made from the state that it is decided on. What is known may be out of date, so it decides only what the
    /// writer confirms: an append, which says from which version it follows. Where it leads to anything else (a refusal,
    /// another version than demanded, nothing to be changed) the stream is loaded and has the last word.
    pub async fn execute_known<A, E>(
        &self,
        known: &Known<A>,
        id: impl ToString,
        command: impl Fn(&A) -> Result<A::Command, E>,
        demanded: Option<i64>,
        context: Context,
    ) -> Result<Executed<A>, E>
    where
        A: Stream + Clone,
        E: From<CommandError>,
    {
        let id = id.to_string();
        let executed = self.execute_from(known.get(&id), &command, demanded, &context).await?;
        let executed = if let Some(executed) = executed {
            executed
        } else {
            let loaded = self.load::<A>(&id).await.map_err(CommandError::from)?;
            self.repeat(loaded, &command, demanded, &context).await?
        };
        if executed.appended.is_some() {
            known.learn(&id, executed.clone());
        }
        Ok(executed)
    }

    /// Carries out a command on a state that may be out of date; `None` = it can't be told from that.
    async fn execute_from<A, E>(
        &self,
        known: Option<Loaded<A>>,
        command: &impl Fn(&A) -> Result<A::Command, E>,
        demanded: Option<i64>,
        context: &Context,
    ) -> Result<Option<Executed<A>>, CommandError>
    where
        A: Stream,
    {
        let Some(known) = known.filter(|known| demanded.is_none_or(|demanded| demanded == known.version)) else {
            return Ok(None);
        };
        let Ok(command) = command(&known.aggregate) else { return Ok(None) };
        let before = known.version;
        let Ok((aggregate, Some(append))) = known.decide(command, context.clone()).await else { return Ok(None) };
        let version = before + events_of(&append);
        match self.append(append).await {
            Ok(appended) => Ok(Some(Executed { aggregate, version, appended: Some(appended) })),
            Err(AppendError::Conflict { .. }) => Ok(None),
            // Whatever else the writer says, it found the stream at this version, or it didn't look at it.
            Err(error) => Err(error.into()),
        }
    }

    async fn repeat<A, E>(
        &self,
        mut loaded: Loaded<A>,
        command: &impl Fn(&A) -> Result<A::Command, E>,
        demanded: Option<i64>,
        context: &Context,
    ) -> Result<Executed<A>, E>
    where
        A: Stream,
        E: From<CommandError>,
    {
        let id = loaded.id.clone();
        let mut attempt = 1;
        loop {
            let command = command(&loaded.aggregate)?;
            let before = loaded.version;
            if demanded.is_some_and(|demanded| demanded != before) {
                let stream = StreamId::of::<A>(&id);
                return Err(CommandError::from(AppendError::Conflict { stream, found: before }).into());
            }
            let (aggregate, append) = loaded.decide(command, context.clone()).await.map_err(CommandError::from)?;
            let Some(append) = append else { return Ok(Executed { aggregate, version: before, appended: None }) };
            let version = before + events_of(&append);
            match self.append(append).await {
                Ok(appended) => return Ok(Executed { aggregate, version, appended: Some(appended) }),
                Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(CommandError::from(error).into()),
            }
            loaded = self.load::<A>(&id).await.map_err(CommandError::from)?;
        }
    }
}

fn events_of(append: &Append) -> i64 {
    append.streams.iter().map(|stream| stream.events.len() as i64).sum()
}
