//! Paths of files, as text: nothing here looks at the disk but `realpath` and `expanduser`.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, iterate, text};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("basename", plain(|_, args| one(args, |path| path[path.rfind('/').map_or(0, |at| at + 1)..].to_owned()))),
    ("commonpath", plain(commonpath)),
    ("dirname", plain(|_, args| one(args, dirname))),
    ("expanduser", plain(|_, args| one(args, |path| expand_user(&path)))),
    ("expandvars", plain(|_, args| one(args, |path| expand_vars(&path)))),
    ("fileglob", plain(fileglob)),
    ("normpath", plain(|_, args| one(args, |path| normalize(&path)))),
    ("path_join", plain(path_join)),
    ("realpath", plain(|_, args| one(args, realpath))),
    ("relpath", plain(relpath)),
    ("splitext", plain(splitext)),
    (
        "win_basename",
        plain(|_, args| one(args, |path| path[path.rfind(['/', '\\']).map_or(0, |at| at + 1)..].to_owned())),
    ),
];

fn one(args: Args, with: impl FnOnce(String) -> String) -> Result<Value, Error> {
    let [path] = args.bind(["path"])?;
    match path.need("path")? {
        Value::Str(path) => Ok(Value::from(with(path.to_string()))),
        other => {
            let found = other.type_name();
            Err(Error::operation(format!("expected str, bytes or os.PathLike object, not {found}")))
        }
    }
}

fn dirname(path: String) -> String {
    let head = &path[..path.rfind('/').map_or(0, |at| at + 1)];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head.to_owned() } else { trimmed.to_owned() }
}

fn splitext(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [path] = args.bind(["path"])?;
    let path = text(&path.need("path")?)?;
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_at..];
    let leading = name.len() - name.trim_start_matches('.').len();
    let at = name[leading..].rfind('.').map_or(path.len(), |at| name_at + leading + at);
    Ok(Value::tuple(vec![Value::from(&path[..at]), Value::from(&path[at..])]))
}

fn path_join(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [paths] = args.bind(["paths"])?;
    let parts = match paths.need("paths")? {
        Value::Str(path) => return Ok(Value::Str(path)),
        value @ (Value::List(_) | Value::Tuple(_)) => iterate(&value)?,
        other => {
            let found = other.type_name();
            return Err(Error::operation(format!("|path_join expects string or sequence, got {found} instead.")));
        }
    };
    let mut joined = String::new();
    for part in parts {
        let part = text(&part)?;
        if part.starts_with('/') {
            joined = part;
        } else {
            if !joined.is_empty() && !joined.ends_with('/') {
                joined.push('/');
            }
            joined.push_str(&part);
        }
    }
    Ok(Value::from(joined))
}

/// `os.path.normpath`
fn normalize(path: &str) -> String {
    let root = match path {
        path if path.starts_with("//") && !path.starts_with("///") => "//",
        path if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normalize(path);
    }
    let here = std::env::current_dir().map(|here| here.display().to_string()).unwrap_or_default();
    normalize(&format!("{here}/{path}"))
}

fn realpath(path: String) -> String {
    let absolute = absolute(&path);
    std::fs::canonicalize(&absolute).map_or(absolute, |path| path.display().to_string())
}

fn relpath(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [path, start] = args.bind(["path", "start"])?;
    let (path, start) = (absolute(&text(&path.need("path")?)?), absolute(&start.text_or(".")?));
    let split = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (split(&path), split(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - common);
    let joined = up.chain(path[common..].iter().cloned()).collect::<Vec<_>>().join("/");
    Ok(Value::from(if joined.is_empty() { ".".to_owned() } else { joined }))
}

fn commonpath(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [paths] = args.bind(["paths"])?;
    let paths = iterate(&paths.need("paths")?)?.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = paths.first() else {
        return Err(Error::operation("commonpath() arg is an empty sequence"));
    };
    if paths.iter().any(|path| path.starts_with('/') != first.starts_with('/')) {
        return Err(Error::operation("Can't mix absolute and relative paths"));
    }
    let split =
        |path: &str| path.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::to_owned).collect::<Vec<_>>();
    let mut common = split(first);
    for path in &paths[1..] {
        let length = common.iter().zip(split(path)).take_while(|(a, b)| *a == b).count();
        common.truncate(length);
    }
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(Value::from(format!("{root}{}", common.join("/"))))
}

fn expand_user(path: &str) -> String {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match std::env::var("HOME") {
            Ok(home) => format!("{}{rest}", home.trim_end_matches('/')),
            Err(_) => path.to_owned(),
        },
        _ => path.to_owned(),
    }
}

fn expand_vars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, whole) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 3),
            None => {
                let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..length], length + 1)
            }
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[at..at + whole]),
        }
        rest = &rest[at + whole..];
    }
    out + rest
}

fn fileglob(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [pattern] = args.bind(["pathname"])?;
    let found = crate::lookups::paths::glob(&text(&pattern.need("pathname")?)?);
    Ok(Value::list(found.into_iter().map(Value::from).collect()))
}
