//! Settings of the `template` module.

/// How a template file is read and written; the defaults are those of `ansible.builtin.template`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// Remove the first newline after a block.
    pub trim_blocks: bool,
    /// Strip white space before a block at the start of a line.
    pub lstrip_blocks: bool,
    /// `\n`, `\r` or `\r\n`.
    pub newline_sequence: String,
    /// `{{`
    pub variable_start_string: String,
    /// `}}`
    pub variable_end_string: String,
    /// `{%`
    pub block_start_string: String,
    /// `%}`
    pub block_end_string: String,
    /// `{#`
    pub comment_start_string: String,
    /// `#}`
    pub comment_end_string: String,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n".to_owned(),
            variable_start_string: "{{".to_owned(),
            variable_end_string: "}}".to_owned(),
            block_start_string: "{%".to_owned(),
            block_end_string: "%}".to_owned(),
            comment_start_string: "{#".to_owned(),
            comment_end_string: "#}".to_owned(),
        }
    }
}
