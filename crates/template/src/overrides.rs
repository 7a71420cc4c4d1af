//! The first line of a template file: `#jinja2: trim_blocks: False, variable_start_string: '[%'`
//! (ansible-core 2.19, `TemplateOverrides._extract_template_overrides`).

use crate::FileOptions;

const MARK: &str = "#jinja2:";

/// The text without its header, and the options as the header changes them.
pub(crate) fn read<'a>(text: &'a str, options: &FileOptions) -> Result<(&'a str, FileOptions), String> {
    let mut options = options.clone();
    let Some(rest) = text.strip_prefix(MARK) else { return Ok((text, options)) };
    let Some((line, body)) = rest.split_once('\n') else {
        return Err(format!("missing newline after the `{MARK}` header"));
    };
    for pair in line.split(',') {
        let Some((key, value)) = pair.split_once(':') else {
            return Err(format!("`{}` in the `{MARK}` header is not `key: value`", pair.trim()));
        };
        set(&mut options, key.trim(), value.trim())?;
    }
    Ok((body, options))
}

fn set(options: &mut FileOptions, key: &str, value: &str) -> Result<(), String> {
    let flag = || match value {
        "True" => Ok(true),
        "False" => Ok(false),
        other => Err(format!("`{key}` in the `{MARK}` header must be `True` or `False`, not `{other}`")),
    };
    match key {
        "trim_blocks" => options.trim_blocks = flag()?,
        "lstrip_blocks" => options.lstrip_blocks = flag()?,
        "newline_sequence" => options.newline_sequence = string(key, value)?,
        "variable_start_string" => options.variable_start_string = string(key, value)?,
        "variable_end_string" => options.variable_end_string = string(key, value)?,
        "block_start_string" => options.block_start_string = string(key, value)?,
        "block_end_string" => options.block_end_string = string(key, value)?,
        "comment_start_string" => options.comment_start_string = string(key, value)?,
        "comment_end_string" => options.comment_end_string = string(key, value)?,
        // Known to Ansible, without effect on what is rendered here: trailing newlines are kept anyway.
        "keep_trailing_newline" => drop(flag()?),
        other => return Err(format!("`{other}` in the `{MARK}` header is no option of templates")),
    }
    Ok(())
}

fn string(key: &str, value: &str) -> Result<String, String> {
    let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = unquoted.ok_or_else(|| format!("`{key}` in the `{MARK}` header must be a quoted string"))?;
    Ok(text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\\\", "\\"))
}
