//! Names of objects.

/// Writes the paths of numbered objects into one string.
pub struct ObjectPath {
    path: String,
    fixed: usize,
}

impl ObjectPath {
    /// Of the objects whose keys begin with `prefix`. Both parts need no percent encoding.
    pub fn new(bucket: &str, prefix: &str) -> Self {
        let path = format!("/{bucket}/{prefix}");
        Self { fixed: path.len(), path }
    }

    /// The path of the object `index`: ten digits, so that order by name is order by number.
    pub fn of(&mut self, index: u64) -> &str {
        self.path.truncate(self.fixed);
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(index);
        for _ in digits.len()..10 {
            self.path.push('0');
        }
        self.path.push_str(digits);
        &self.path
    }
}
