//! `file`, `lines`, `fileglob`, `first_found`, `template`, `pipe`.

use super::paths;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, iterate, text};
use crate::place::whole_file;
use crate::value::Name;
use crate::{FileOptions, Value};
use std::path::{Path, PathBuf};

fn sought(exec: &Exec, kind: &str, name: &str) -> Result<PathBuf, Error> {
    paths::find(&exec.session, kind, name).ok_or_else(|| {
        let candidates = paths::candidates(&exec.session, kind, name);
        let places = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("`, `");
        Error::operation(format!("could not find `{name}`, sought as `{places}`"))
    })
}

/// A file's text. An encrypted one is read in clear, as by Ansible's `DataLoader`, and is then a secret.
fn read(exec: &Exec, path: &Path) -> Result<String, Error> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::operation(format!("can't read `{}`: {error}", path.display())))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Error::operation(format!("`{}` is no UTF-8 text", path.display())))?;
    if !text.starts_with(VAULT_HEADER) {
        return Ok(text);
    }
    let about = || format!("file `{}`", path.display());
    let clear = exec.session.engine().decrypt(&text).map_err(|error| error.about(about))?;
    exec.session.secret(&Value::from(clear.as_str()));
    Ok(clear)
}

/// What a file begins with that Ansible Vault has encrypted.
const VAULT_HEADER: &str = "$ANSIBLE_VAULT;";

pub(super) fn unvault(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    args.positional.iter().map(|name| Ok(Value::from(read(exec, &sought(exec, "files", &text(name)?)?)?))).collect()
}

pub(super) fn file(exec: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let (lstrip, rstrip) = (args.take("lstrip").flag_or(false)?, args.take("rstrip").flag_or(true)?);
    args.no_more_names()?;
    let contents = args.positional.iter().map(|name| {
        let content = read(exec, &sought(exec, "files", &text(name)?)?)?;
        let content = if lstrip { content.trim_start() } else { &content };
        Ok(Value::from(if rstrip { content.trim_end() } else { content }))
    });
    contents.collect()
}

pub(super) fn fileglob(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let mut found = Vec::new();
    for pattern in &args.positional {
        let places = paths::candidates(&exec.session, "files", &text(pattern)?);
        // The first folder that has matches, as Ansible's search does. The folder's own name is no pattern.
        let places = places.iter().filter(|place| place.parent().is_some_and(Path::is_dir));
        let matches = places.map(|place| paths::glob(&place.display().to_string())).find(|found| !found.is_empty());
        found.extend(matches.unwrap_or_default().into_iter().map(Value::from));
    }
    Ok(found)
}

/// How a loop tells `first_found` that it is one.
pub(crate) const BY_LOOP: &str = "invoked_as_with";

pub(super) fn first_found(exec: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let by_loop = args.take(BY_LOOP).is_some();
    let mut skip = args.take("skip").is_some_and(|value| crate::filters::to_bool(&value));
    let own_files = args.take("files").map_or(Ok(Vec::new()), |files| parts(&files, ",;"))?;
    let own_paths = args.take("paths").map_or(Ok(Vec::new()), |paths| parts(&paths, ",:;"))?;
    args.no_more_names()?;
    let mut names = Vec::new();
    let terms =
        if args.positional.is_empty() { own_files.into_iter().map(Value::from).collect() } else { args.positional };
    collect(&terms, &own_paths, &mut names, &mut skip)?;
    // Only a loop (`with_first_found`) looks into the folder that belongs to its task's module.
    let kinds: &[&str] = if by_loop { &["templates", "vars", "files"] } else { &[""] };
    let found = names.iter().find_map(|name| kinds.iter().find_map(|kind| paths::find(&exec.session, kind, name)));
    match found {
        Some(path) => Ok(vec![Value::from(path.display().to_string())]),
        None if skip => Ok(Vec::new()),
        None => {
            let names = names.join("`, `");
            Err(Error::operation(format!("No file was found when using first_found, sought `{names}`")))
        }
    }
}

fn collect(terms: &[Value], paths: &[String], names: &mut Vec<String>, skip: &mut bool) -> Result<(), Error> {
    for term in terms {
        match term.check()? {
            Value::Str(name) => join(parts(&Value::Str(name.clone()), ",;")?, paths, names),
            Value::List(items) | Value::Tuple(items) => collect(items, paths, names, skip)?,
            Value::Map(options) => {
                let option = |name: &str, separators: &str| {
                    options.get(&Name(name)).map_or(Ok(Vec::new()), |value| parts(value, separators))
                };
                join(option("files", ",;")?, &option("paths", ",:;")?, names);
                *skip |= options.get(&Name("skip")).is_some_and(crate::filters::to_bool);
            }
            other => {
                let found = other.type_name();
                return Err(Error::operation(format!(
                    "Invalid term supplied. A string, dict or list is required, not '{found}'"
                )));
            }
        }
    }
    Ok(())
}

fn join(files: Vec<String>, paths: &[String], names: &mut Vec<String>) {
    if paths.is_empty() {
        names.extend(files);
    } else {
        names.extend(paths.iter().flat_map(|path| files.iter().map(move |file| format!("{path}/{file}"))));
    }
}

/// A list of names, or a text that separators divide.
fn parts(value: &Value, separators: &str) -> Result<Vec<String>, Error> {
    let texts = match value.check()? {
        Value::None => Vec::new(),
        Value::Str(text) => vec![text.to_string()],
        other => iterate(other)?.iter().map(text).collect::<Result<_, _>>()?,
    };
    let split = texts.iter().flat_map(|text| text.split(|c| separators.contains(c)));
    Ok(split.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

pub(super) fn template(exec: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let mut options = FileOptions::default();
    let mut option = |name: &str, slot: &mut String| -> Result<(), Error> {
        if let Some(value) = args.take(name) {
            *slot = text(&value)?;
        }
        Ok(())
    };
    option("variable_start_string", &mut options.variable_start_string)?;
    option("variable_end_string", &mut options.variable_end_string)?;
    option("comment_start_string", &mut options.comment_start_string)?;
    option("comment_end_string", &mut options.comment_end_string)?;
    options.trim_blocks = args.take("trim_blocks").flag_or(true)?;
    options.lstrip_blocks = args.take("lstrip_blocks").flag_or(false)?;
    args.take("convert_data");
    let own = match args.take("template_vars") {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    };
    args.no_more_names()?;
    let mut rendered = Vec::new();
    for name in &args.positional {
        let path = sought(exec, "templates", &text(name)?)?;
        let content = read(exec, &path)?;
        let mut session = exec.session.clone();
        if let Some(own) = &own {
            let mut variables = crate::Variables::new();
            for (name, value) in own.iter() {
                variables.set(name.to_json(), value.clone());
            }
            let layered = crate::Layered { first: std::sync::Arc::new(variables), rest: session.scope().clone() };
            session = session.in_scope(std::sync::Arc::new(layered));
        }
        let origin = whole_file(&path.display().to_string(), 1);
        rendered.push(Value::from(exec.deeper(|_| session.file(&content, &origin, &options))?));
    }
    Ok(rendered)
}

pub(super) fn lines(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let mut found = Vec::new();
    for command in &args.positional {
        let output = output(exec, &text(command)?)?;
        found.extend(output.lines().map(Value::from));
    }
    Ok(found)
}

pub(super) fn pipe(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    args.positional.iter().map(|command| Ok(Value::from(output(exec, &text(command)?)?.trim_end()))).collect()
}

/// What a command of the controller's shell prints.
#[expect(clippy::disallowed_methods, reason = "these lookups are defined as running a command on the controller")]
fn output(exec: &Exec, command: &str) -> Result<String, Error> {
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    if let Some(directory) = exec.session.engine().search_path().last() {
        shell.current_dir(directory);
    }
    let output = shell
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .output()
        .map_err(|error| Error::operation(format!("can't start the shell: {error}")))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Error::operation(format!("`{command}` ended with {}: {}", output.status, complaint.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
