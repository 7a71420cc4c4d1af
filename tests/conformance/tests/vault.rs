//! Encrypted files written by ansible-core and read here, and the reverse; what is no good file must be refused by both.
//! The files are random: a failure names its seed, and `VAULT_SEED` brings the same files back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use camino::{Utf8Path, Utf8PathBuf};
use data_encoding::HEXLOWER;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use vault::{Envelope, Password, Secrets, Version};

/// How many files go each way.
const FILES: usize = 200;

const LARGEST_BYTES: usize = 64 * 1024;

/// What files are encrypted with, and the label that each is known by.
const PASSWORDS: [(&str, &[u8]); 5] = [
    ("default", b"correct horse battery staple"),
    ("dev", b"x"),
    ("prod", "s\u{e4}cr\u{e9}t \u{1f511}".as_bytes()),
    ("my label.2", b"\x00\xff binary"),
    ("long", &[b'p'; 200]),
];

struct File {
    plaintext: Vec<u8>,
    /// Which of [`PASSWORDS`].
    password: usize,
    /// What the header says, which need not be the password's.
    label: Option<&'static str>,
}

struct World {
    seed: u64,
    random: StdRng,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let seed = std::env::var("VAULT_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        Self { seed, random: StdRng::seed_from_u64(seed), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: impl ToString) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name.to_string())
    }

    fn write(&self, name: impl ToString, content: &[u8]) -> Utf8PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Each size class, kind of content, password and label comes up.
    fn files(&mut self) -> Vec<File> {
        (0..FILES).map(|index| self.file(index)).collect()
    }

    fn file(&mut self, index: usize) -> File {
        let length = match index % 4 {
            // Around the size of a block, where padding has its edges.
            0 => index / 4,
            1 => self.random.random_range(0..2000),
            _ => self.random.random_range(0..=LARGEST_BYTES),
        };
        let mut plaintext = vec![0; length];
        self.random.fill_bytes(&mut plaintext);
        if index.is_multiple_of(2) {
            let text = plaintext.iter().map(|byte| match byte % 48 {
                0 => '\n',
                1 => 'é',
                2 => ':',
                letter => char::from(b'a' + letter % 26),
            });
            plaintext = text.collect::<String>().into_bytes();
        }
        let password = self.random.random_range(0..PASSWORDS.len());
        let label = match self.random.random_range(0..4) {
            0 => None,
            1 => Some("another"),
            _ => Some(PASSWORDS[password].0),
        };
        File { plaintext, password, label }
    }
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::new();
    for (label, password) in PASSWORDS {
        secrets.add(label, Password::new(password.to_vec()).unwrap()).unwrap();
    }
    secrets
}

fn secrets_of_reference() -> Value {
    PASSWORDS.iter().map(|(label, password)| json!([label, HEXLOWER.encode(password)])).collect()
}

#[test]
fn files_of_ansible_are_read_here() {
    let mut world = World::new();
    let files = world.files();
    let jobs = files.iter().enumerate().map(|(index, file)| {
        let from = world.write(index, &file.plaintext);
        let password = HEXLOWER.encode(PASSWORDS[file.password].1);
        json!({ "do": "encrypt", "from": from, "to": world.path(format!("{index}.enc")), "password": password, "label": file.label })
    });
    reference(jobs.collect());
    let secrets = secrets();
    for (index, file) in files.iter().enumerate() {
        let what = format!("file {index} of seed {}", world.seed);
        let data = std::fs::read(world.path(format!("{index}.enc"))).unwrap();
        assert!(vault::is_encrypted(&data), "{what}");
        let envelope = Envelope::parse(&data).unwrap_or_else(|error| panic!("{what}: {error}"));
        let label = file.label.filter(|label| *label != "default");
        assert_eq!(envelope.label(), label, "{what}");
        assert_eq!(envelope.version(), if label.is_some() { Version::V1_2 } else { Version::V1_1 }, "{what}");
        let decrypted = secrets.open(&envelope).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(*decrypted.plaintext == *file.plaintext, "{what} differs");
        assert_eq!(decrypted.password.reveal(), PASSWORDS[file.password].1, "{what}");
    }
}

#[test]
fn our_files_are_read_by_ansible() {
    let mut world = World::new();
    let files = world.files();
    let jobs = files.iter().enumerate().map(|(index, file)| {
        let password = Password::new(PASSWORDS[file.password].1.to_vec()).unwrap();
        let text = vault::encrypt(&file.plaintext, &password, file.label).unwrap();
        let from = world.write(format!("{index}.enc"), text.as_bytes());
        json!({ "do": "decrypt", "from": from, "to": world.path(index), "secrets": secrets_of_reference() })
    });
    let results = reference(jobs.collect());
    for (index, (file, result)) in files.iter().zip(&results).enumerate() {
        let what = format!("file {index} of seed {}", world.seed);
        assert_eq!(result["error"], Value::Null, "{what}");
        assert_eq!(result["password"], HEXLOWER.encode(PASSWORDS[file.password].1), "{what}");
        assert!(std::fs::read(world.path(index)).unwrap() == file.plaintext, "{what} differs");
    }
}

#[test]
fn the_same_salt_gives_the_same_file() {
    let mut world = World::new();
    let files: Vec<(File, Vec<u8>)> = (0..40)
        .map(|index| {
            let mut salt = vec![0; if index == 0 { 1 } else { world.random.random_range(1..50) }];
            world.random.fill_bytes(&mut salt);
            (world.file(index), salt)
        })
        .collect();
    let jobs = files.iter().enumerate().map(|(index, (file, salt))| {
        let from = world.write(index, &file.plaintext);
        let (password, salt) = (HEXLOWER.encode(PASSWORDS[file.password].1), HEXLOWER.encode(salt));
        json!({ "do": "encrypt", "from": from, "to": world.path(format!("{index}.enc")), "password": password,
            "label": file.label, "salt": salt })
    });
    reference(jobs.collect());
    for (index, (file, salt)) in files.iter().enumerate() {
        let password = Password::new(PASSWORDS[file.password].1.to_vec()).unwrap();
        let ours = vault::encrypt_with_salt(&file.plaintext, &password, file.label, salt).unwrap();
        let theirs = std::fs::read(world.path(format!("{index}.enc"))).unwrap();
        assert!(ours.as_bytes() == theirs, "file {index} of seed {} differs", world.seed);
    }
}

/// A change that a file went through on its way: editors, mail, other systems, bad disks.
type Change = fn(&str) -> Vec<u8>;

const CHANGES: [(&str, Change); 26] = [
    ("nothing", |text| text.into()),
    ("CR LF", |text| text.replace('\n', "\r\n").into()),
    ("CR", |text| text.replace('\n', "\r").into()),
    ("mixed ends", |text| text.replacen('\n', "\r\n", 2).replacen("\n3", "\r\r\n3", 1).into()),
    ("no last end", |text| text.trim_end().into()),
    ("empty lines", |text| text.replace('\n', "\n\n").into()),
    ("one line", |text| text.replace('\n', "").replacen("AES256;prod", "AES256;prod\n", 1).into()),
    ("upper case", |text| {
        text.split_once('\n').map(|(first, rest)| format!("{first}\n{}", rest.to_uppercase())).unwrap().into()
    }),
    ("blank after the header", |text| text.replacen('\n', " \t\n", 1).into()),
    ("form feed after the header", |text| text.replacen('\n', "\x0b\x0c\n", 1).into()),
    ("blanks in the header", |text| text.replacen(';', " ; ", 3).into()),
    ("blank after a line", |text| text.replacen("\n3", " \n3", 2).into()),
    ("blank at the end", |text| format!("{text} ").into()),
    ("indented", |text| text.replace('\n', "\n  ").into()),
    ("blank before the header", |text| format!(" {text}").into()),
    ("empty line before the header", |text| format!("\n{text}").into()),
    ("byte order mark", |text| format!("\u{feff}{text}").into()),
    ("not ASCII at the end", |text| format!("{text}é").into()),
    ("no label", |text| text.replacen(";prod", "", 1).into()),
    ("empty label", |text| text.replacen(";prod", ";", 1).into()),
    ("another label", |text| text.replacen(";prod", ";none;more", 1).into()),
    ("more magic", |text| text.replacen("_VAULT", "_VAULT2", 1).into()),
    ("another cipher", |text| text.replacen("AES256", "AES", 1).into()),
    ("header only", |text| text.lines().next().unwrap().into()),
    ("no cipher", |text| text.replacen(";AES256;prod", "", 1).into()),
    ("nothing at all", |_| Vec::new()),
];

/// Whatever a file has gone through: both refuse it, or both read the same.
#[test]
fn changed_files_are_refused_or_read_by_both() {
    let mut world = World::new();
    let password = Password::new(PASSWORDS[2].1.to_vec()).unwrap();
    let text = vault::encrypt(b"a: 1\nb: two\n", &password, Some("prod")).unwrap();
    let mut changed: Vec<(String, Vec<u8>)> =
        CHANGES.iter().map(|(name, change)| ((*name).to_owned(), change(&text))).collect();
    for round in 0..300 {
        let mut data = text.clone().into_bytes();
        let what = (0..=round % 2).map(|_| damage(&mut world.random, &mut data)).collect::<Vec<_>>().join(", ");
        // The one difference on purpose: other versions are refused here, and Ansible does not look at them.
        let header = data.split(|byte| *byte == b'\n').next().unwrap();
        if header.split(|byte| *byte == b';').nth(1) == Some(b"1.2") {
            changed.push((format!("{what} (seed {})", world.seed), data));
        }
    }
    let jobs = changed.iter().enumerate().map(|(index, (_, data))| {
        let from = world.write(format!("{index}.enc"), data);
        json!({ "do": "decrypt", "from": from, "to": world.path(index), "secrets": secrets_of_reference() })
    });
    let results = reference(jobs.collect());
    let secrets = secrets();
    let mut differences = Vec::new();
    let mut read = 0;
    for (index, ((what, data), result)) in changed.iter().zip(&results).enumerate() {
        if result["is_encrypted"] != vault::is_encrypted(data) {
            differences.push(format!("{what}: encrypted to Ansible: {}", result["is_encrypted"]));
        }
        let theirs = result["error"].is_null().then(|| std::fs::read(world.path(index)).unwrap());
        let ours = secrets.decrypt(data);
        if ours.as_ref().ok().map(|decrypted| decrypted.plaintext.to_vec()) != theirs {
            differences.push(format!("{what}: here {:?}, Ansible {result}", ours.map(|_| "read")));
        }
        read += usize::from(theirs.is_some());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(read > CHANGES.len() / 3 && read < changed.len(), "only {read} of {} were good", changed.len());
}

/// Changes one thing, and says what.
fn damage(random: &mut StdRng, data: &mut Vec<u8>) -> String {
    if data.is_empty() {
        return "nothing left".to_owned();
    }
    let at = random.random_range(0..data.len());
    match random.random_range(0..5) {
        0 => data.truncate(at),
        1 => drop(data.remove(at)),
        2 => data.insert(at, *b"3a\n\r ;g\xff".get(random.random_range(0..8)).unwrap()),
        _ => {
            let bit = random.random_range(0..8);
            data[at] ^= 1 << bit;
            return format!("bit {bit} of byte {at}");
        }
    }
    format!("change at byte {at}")
}

/// `ANSIBLE_VAULT_ID_MATCH`: only a password with the label of the file counts.
#[test]
fn only_matching_labels_count_when_so_set() {
    let world = World::new();
    let mut jobs = Vec::new();
    let mut ours = Vec::new();
    let secrets = secrets().only_matching(true);
    for (password, label) in
        [(2, Some("prod")), (2, Some("dev")), (2, Some("none")), (2, None), (0, None), (0, Some("prod"))]
    {
        let name = jobs.len();
        let encrypted = Password::new(PASSWORDS[password].1.to_vec()).unwrap();
        let text = vault::encrypt(b"text", &encrypted, label).unwrap();
        let from = world.write(format!("{name}.enc"), text.as_bytes());
        jobs.push(json!({ "do": "decrypt", "from": from, "to": world.path(name), "only_matching": true,
            "secrets": secrets_of_reference() }));
        ours.push(secrets.decrypt(text.as_bytes()).is_ok());
    }
    let theirs: Vec<bool> = reference(jobs).iter().map(|result| result["error"].is_null()).collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours, [true, false, false, false, true, false]);
}

/// The real command, for what is around the format: password files and programs, labels, outputs.
#[test]
fn the_command_and_ours_understand_each_other() {
    let world = World::new();
    let (pass, plain) = (world.write("pass", b"  hunter2 \n"), world.write("plain", "naïve\n".as_bytes()));
    let source = vault::Source::parse(&format!("prod@{pass}")).unwrap();
    let mut ask = |question: &str| panic!("asked: {question}");
    let (secrets, _) = Secrets::load(&[source], vault::Purpose::Read, &mut ask).unwrap();
    let id = format!("prod@{pass}");

    let encrypted = world.path("theirs.enc");
    ansible_vault(&world, &["encrypt", "--vault-id", &id, "--output", encrypted.as_str(), plain.as_str()]);
    let theirs = std::fs::read(&encrypted).unwrap();
    let decrypted = secrets.decrypt(&theirs).unwrap();
    assert_eq!((&*decrypted.plaintext, decrypted.label), ("naïve\n".as_bytes(), "prod"));
    assert_eq!(decrypted.header_label.as_deref(), Some("prod"));

    let (label, password) = secrets.encrypting(None).unwrap();
    let ours = vault::encrypt("naïve\n".as_bytes(), password, Some(label)).unwrap();
    let ours = world.write("ours.enc", ours.as_bytes());
    assert_eq!(ansible_vault(&world, &["view", "--vault-id", &id, ours.as_str()]).trim_end(), "naïve");
    ansible_vault(&world, &["decrypt", "--vault-id", &id, ours.as_str()]);
    assert_eq!(std::fs::read(&ours).unwrap(), "naïve\n".as_bytes());

    // With `--vault-password-file` there is no label, and the format is 1.1.
    let again = world.path("again.enc");
    ansible_vault(
        &world,
        &["encrypt", "--vault-password-file", pass.as_str(), "--output", again.as_str(), plain.as_str()],
    );
    let envelope = Envelope::parse(&std::fs::read(&again).unwrap()).unwrap();
    assert_eq!((envelope.version(), envelope.label()), (Version::V1_1, None));
    assert_eq!(&*secrets.open(&envelope).unwrap().plaintext, "naïve\n".as_bytes());
    let new = world.write("new", b"other");
    ansible_vault(&world, &["rekey", "--vault-id", &id, "--new-vault-id", &format!("new@{new}"), again.as_str()]);
    assert!(matches!(secrets.decrypt(&std::fs::read(&again).unwrap()), Err(vault::Error::WrongPassword { .. })));
}

#[test]
fn inline_values_are_those_of_encrypt_string() {
    let world = World::new();
    let pass = world.write("pass", b"hunter2");
    let mut secrets = Secrets::new();
    secrets.add("prod", Password::new(b"hunter2".to_vec()).unwrap()).unwrap();
    for name in [None, Some("db_password")] {
        let id = format!("prod@{pass}");
        let mut arguments = vec!["encrypt_string", "--vault-id", &id, "the value"];
        arguments.extend(name.iter().flat_map(|name| ["--name", name]));
        let theirs = ansible_vault(&world, &arguments);
        let envelope = vault::from_inline(&theirs).unwrap();
        assert_eq!(&*secrets.decrypt(envelope.as_bytes()).unwrap().plaintext, b"the value");
        // Written anew from the same envelope, it is the same text.
        assert_eq!(vault::to_inline(&envelope, name) + "\n", theirs);
        let found = vault::find_inline(&theirs);
        assert_eq!((found[0].name.as_deref(), &found[0].envelope), (name, &envelope));
    }
}

fn ansible_vault(world: &World, arguments: &[&str]) -> String {
    let output = Command::new(venv("ansible-vault"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", world.folder.path())
        .env("LANG", "C.UTF-8")
        .env("ANSIBLE_CONFIG", world.write("ansible.cfg", b""))
        .current_dir(world.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What ansible-core makes of the jobs, in one process.
fn reference(jobs: Vec<Value>) -> Vec<Value> {
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("vault/reference.py");
    let mut list = tempfile::NamedTempFile::new().unwrap();
    list.write_all(Value::from(jobs).to_string().as_bytes()).unwrap();
    let output = Command::new(venv("python")).arg(script).arg(list.path()).output().unwrap();
    assert!(output.status.success(), "the reference failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A program of the reference's environment.
fn venv(program: &str) -> Utf8PathBuf {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin").join(program);
    assert!(path.exists(), "`{path}` is missing, the reference to compare with; run scripts/venv.sh");
    path
}
