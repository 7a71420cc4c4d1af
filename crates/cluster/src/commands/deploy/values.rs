//! `--values` and `--set` as the variables that the playbooks take: `service_values` and `helm_set`.

use super::locate::Item;
use crate::config;
use crate::context::Context;
use crate::exit::{Result, boxed};
use crate::passwords::hush;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes};
use serde_json::{Map, Value};

/// What `--values` gives.
pub(super) struct Values {
    /// All files in one.
    pub(super) merged: Map<String, Value>,
    /// Whether any of them was encrypted, so that nothing of it may be shown.
    pub(super) is_private: bool,
}

/// The files laid over each other, later ones on top, as `helm --values` does: maps merge, everything else replaces.
pub(super) fn merged(files: &[Utf8PathBuf], context: &Context) -> Result<Values> {
    let mut merged = Map::new();
    let mut is_private = false;
    for file in files {
        let (values, is_encrypted) = read(file, context)?;
        lay_over(&mut merged, values);
        is_private |= is_encrypted;
    }
    Ok(Values { merged, is_private })
}

/// Reads the `values.yml` of every service, as its playbook will: what is wrong with any of them is told before anything is touched.
pub(super) fn check(items: &[Item], context: &Context) -> Result<()> {
    let mut mistakes = Mistakes::new();
    for item in items {
        let path = config::shown(&item.service.values_file());
        if !path.exists() {
            mistakes.push(missing(&path));
        } else if let Err(error) = read(&path, context) {
            mistakes.extend(Mistakes::of(error.as_ref()));
        }
    }
    mistakes.into_result().map_err(boxed)
}

fn missing(path: &Utf8Path) -> Mistake {
    Mistake::new(format!("values file `{path}` does not exist"))
        .hinted(format!("run `touch {path}`: an empty one leaves all values to the chart"))
}

/// The values, and whether the file was encrypted.
fn read(file: &Utf8Path, context: &Context) -> Result<(Map<String, Value>, bool)> {
    let mut text = diagnostic::text("values file", file.as_str(), std::fs::read(file)).map_err(boxed)?;
    let is_encrypted = vault::has_header(text.as_bytes());
    if is_encrypted {
        let secrets = context.passwords()?.needed_for(file)?;
        let decrypted = secrets.decrypt(text.as_bytes()).map_err(|error| boxed(error.in_file(file.as_str())))?;
        text = decrypted.plaintext.text().map_err(|error| boxed(error.in_file(file.as_str())))?.to_owned();
    }
    let node = yaml::load_one(file.as_str(), &text).map_err(boxed)?;
    if is_encrypted {
        hush(&node, context.output.redactor());
    }
    match node.to_data() {
        Value::Object(map) => Ok((map, is_encrypted)),
        Value::Null => Ok((Map::new(), is_encrypted)),
        _ => Err(boxed(
            Mistake::at(node.position.clone(), format!("values are a mapping, this is {}", node.kind()))
                .hinted("write `key: value` lines as in the chart's values.yaml"),
        )),
    }
}

fn lay_over(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_merge_and_lists_replace() {
        let Value::Object(mut below) = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]}) else { panic!("object") };
        let Value::Object(above) = json!({"a": {"c": 3}, "list": [9]}) else { panic!("object") };
        lay_over(&mut below, above);
        assert_eq!(Value::Object(below), json!({"a": {"b": 1, "c": 3}, "list": [9]}));
    }
}
