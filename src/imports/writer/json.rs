use std::io::{BufWriter, Result, Write};

use super::refused;

/// Rows as JSON objects whose members stand in the header's order; a value that is empty is left out.
pub struct Objects<W: Write> {
    out: BufWriter<W>,
    /// The header's names as JSON, each with its colon.
    names: Vec<String>,
    /// An array, not lines.
    is_array: bool,
    is_first: bool,
}

impl<W: Write> Objects<W> {
    /// One array of all objects, each on a line of its own.
    pub fn array(out: W, header: &[&str]) -> Result<Self> {
        let mut objects = Self::new(out, header, true)?;
        objects.out.write_all(b"[")?;
        Ok(objects)
    }

    /// An object a line.
    pub fn lines(out: W, header: &[&str]) -> Result<Self> {
        Self::new(out, header, false)
    }

    fn new(out: W, header: &[&str], is_array: bool) -> Result<Self> {
        let names = header.iter().map(|name| Ok(serde_json::to_string(name)? + ":")).collect::<Result<_>>()?;
        Ok(Self { out: BufWriter::with_capacity(1 << 16, out), names, is_array, is_first: true })
    }

    /// Adds an object.
    pub fn row<S: AsRef<str>>(&mut self, values: &[S]) -> Result<()> {
        if values.len() > self.names.len() {
            let (found, allowed) = (values.len(), self.names.len());
            return Err(refused(format!("a row of {found} values; the header has names for {allowed}")));
        }
        match (self.is_array, self.is_first) {
            (true, true) => self.out.write_all(b"\n")?,
            (true, false) => self.out.write_all(b",\n")?,
            (false, _) => {}
        }
        self.is_first = false;
        self.out.write_all(b"{")?;
        let said = self.names.iter().zip(values).filter(|(_, value)| !value.as_ref().is_empty());
        for (number, (name, value)) in said.enumerate() {
            if number > 0 {
                self.out.write_all(b",")?;
            }
            self.out.write_all(name.as_bytes())?;
            serde_json::to_writer(&mut self.out, value.as_ref())?;
        }
        self.out.write_all(if self.is_array { b"}" } else { b"}\n" })
    }

    /// Ends the array.
    pub fn finish(mut self) -> Result<W> {
        if self.is_array {
            self.out.write_all(b"\n]\n")?;
        }
        self.out.into_inner().map_err(std::io::IntoInnerError::into_error)
    }
}
