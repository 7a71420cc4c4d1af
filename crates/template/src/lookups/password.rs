//! `password`: a random password, kept in a file (ansible-core's `lookup/password.py`).

use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Exec, text};
use rand::RngExt;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

pub(super) fn password(exec: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let named = std::mem::take(&mut args.named);
    let mut found = Vec::new();
    for term in &args.positional {
        let term = text(term)?;
        let mut words = term.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let mut wanted = Wanted { length: 20, characters: "ascii_letters,digits,.,:-_".to_owned() };
        for word in words {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            wanted.set(key, value)?;
        }
        for (key, value) in &named {
            let value = match value {
                Value::List(items) => items.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(","),
                other => text(other)?,
            };
            wanted.set(key, &value)?;
        }
        let base = exec.session.engine().search_path().last().cloned().unwrap_or_default();
        found.push(Value::from(wanted.kept(&base.join(name))?));
    }
    Ok(found)
}

struct Wanted {
    length: usize,
    characters: String,
}

impl Wanted {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        match key {
            "length" => {
                let length = value.parse().ok().filter(|length| (1..=10_000).contains(length));
                self.length =
                    length.ok_or_else(|| Error::operation(format!("`{value}` is no length of a password")))?;
            }
            "chars" => self.characters = value.to_owned(),
            other => return Err(Error::operation(format!("the option `{other}` is not supported"))),
        }
        Ok(())
    }

    /// The password in the file, or a new one that is put there, readable for its owner only.
    fn kept(&self, path: &Path) -> Result<String, Error> {
        let failed = |error: std::io::Error| {
            Error::operation(format!("can't keep the password in `{}`: {error}", path.display()))
        };
        if path == Path::new("/dev/null") {
            return self.new_password();
        }
        if let Ok(content) = std::fs::read_to_string(path) {
            let line = content.lines().next().unwrap_or_default();
            return Ok(line.rsplit_once(" salt=").map_or(line, |(password, _)| password).to_owned());
        }
        let password = self.new_password()?;
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        writeln!(file, "{password}").map_err(failed)?;
        Ok(password)
    }

    fn new_password(&self) -> Result<String, Error> {
        let mut alphabet = String::new();
        for part in self.characters.replace(",,", ",\u{0},").split(',') {
            match part {
                "ascii_letters" => alphabet.extend(('a'..='z').chain('A'..='Z')),
                "ascii_lowercase" => alphabet.extend('a'..='z'),
                "ascii_uppercase" => alphabet.extend('A'..='Z'),
                "digits" => alphabet.extend('0'..='9'),
                "hexdigits" => alphabet.push_str("0123456789abcdefABCDEF"),
                "octdigits" => alphabet.push_str("01234567"),
                "punctuation" => alphabet.push_str("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
                "\u{0}" => alphabet.push(','),
                other => alphabet.push_str(other),
            }
        }
        let alphabet: Vec<char> = alphabet.chars().collect();
        if alphabet.is_empty() {
            return Err(Error::operation("`chars` leaves no characters for a password"));
        }
        let mut random = rand::rng();
        Ok((0..self.length).map(|_| alphabet[random.random_range(0..alphabet.len())]).collect())
    }
}
