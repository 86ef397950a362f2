//! Configuration files and the jobs that export and import them.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{Answer, TestServer, eventually};

/// An entry of a file.
#[expect(clippy::needless_pass_by_value, reason = "shorter for all who call it")]
pub fn object(kind: &str, id: &str, name: &str, object: Value) -> Value {
    json!({"version": 1, "self": {"type": kind, "id": id, "name": name}, "object": object})
}

/// A file of these objects.
pub fn file(objects: &[Value]) -> Value {
    json!({"version": 1, "timestamp": "2021-05-10T15:19:23.425041-05:00", "tenant": "sampleTenant", "options": null, "objects": objects})
}

impl TestServer {
    /// Sends a file to be imported.
    pub async fn send_config(&self, path: &str, data: impl Into<Vec<u8>>, options: Option<Value>) -> Answer {
        let data = Part::bytes(data.into()).file_name("config.json");
        let mut form = Form::new().part("data", data);
        if let Some(options) = options {
            form = form.text("options", options.to_string());
        }
        self.client.send(self.client.request(Method::POST, path).multipart(form)).await
    }

    /// Waits until a job has ended; its status.
    pub async fn config_job(&self, kind: &str, id: &str) -> Value {
        eventually("the job ends", async || {
            let answer = self.client.get(&format!("/sp-config/{kind}/{id}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            matches!(answer.json["status"].as_str(), Some("COMPLETE" | "FAILED" | "CANCELLED")).then_some(answer.json)
        })
        .await
    }

    /// Imports a file; the job as it ended and its results.
    pub async fn import_config(&self, path: &str, data: &Value, options: Option<Value>) -> (Value, Value) {
        let answer = self.send_config(path, data.to_string(), options).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let id = answer.json["jobId"].as_str().unwrap();
        let job = self.config_job("import", id).await;
        let results = self.client.get(&format!("/sp-config/import/{id}/download")).await;
        assert_eq!(results.status, 200, "{}", results.text);
        (job, results.json)
    }

    /// Exports what the body says; the file.
    pub async fn export_config(&self, body: Value) -> Value {
        let answer = self.client.post("/sp-config/export", body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let id = answer.json["jobId"].as_str().unwrap();
        assert_eq!(self.config_job("export", id).await["status"], "COMPLETE");
        self.config_file(id).await
    }

    /// The file that an export made.
    pub async fn config_file(&self, id: &str) -> Value {
        let answer = self.client.get(&format!("/sp-config/export/{id}/download")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }
}
