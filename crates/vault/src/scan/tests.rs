//! What is found, and what is not. Tokens are put together here, so that no scanner takes this file for a leak.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

/// Findings as `line:column kind`.
fn found(path: &str, text: &str) -> Vec<String> {
    let shown = |finding: &Finding| format!("{}:{} {}", finding.position.line, finding.position.column, finding.kind);
    scan(path, text).iter().map(shown).collect()
}

#[rstest]
#[case::yaml("a.yml", "password: hunter2\n", "1:11 value")]
#[case::quoted("a.yml", "db:\n  \"password\": \"hunter2\" # why\n", "2:16 value")]
#[case::single_quotes("a.yml", "- api_key: 'it''s 8 long'\n", "")]
#[case::passphrase("a.yml", "passphrase: correct horse battery staple\n", "1:13 value")]
#[case::word("a.yml", "password: correcthorse\n", "1:11 value")]
#[case::number("a.yml", "pin_token: 471147114711\n", "1:12 value")]
#[case::indented("a.yml", "users:\n  - name: x\n    token: aa11bb22cc33\n", "3:12 value")]
#[case::flow("a.yml", "user: {name: x, password: hunter2, age: 4}\n", "1:27 value")]
#[case::flow_quoted("a.yml", "user: {\"password\": \"hunter2,}\", age: 4}\n", "1:21 value")]
#[case::items("a.yml", "passwords: [Ohph4eiSeiv0, 'aa11bb22'] # why\n", "1:13 value,1:28 value")]
#[case::items_in_braces("a.yml", "auth: {passwords: [Ohph4eiSeiv0, 'a, b1]'], x: [y1]}\n", "1:20 value,1:35 value")]
#[case::items_below(
    "a.yml",
    "passwords:\n- Ohph4eiSeiv0 # why\n# more\n- \"a: 11bb22\"\nx:\n  - b1b1b1\n",
    "2:3 value,4:4 value"
)]
#[case::items_on_lines(
    "a.json",
    "{\"passwords\": [\n  \"Ohph4eiSeiv0\",\n  \"aa11bb22\"\n], \"x\": [\"b1b1\"]}",
    "2:4 value,3:4 value"
)]
#[case::items_of_toml("a.toml", "passwords = [\n  \"Ohph4eiSeiv0\", # why, not\n]\n", "2:4 value")]
#[case::items_by_number("a.sh", "helm upgrade x --set auth.passwords[0]=hunter2\n", "1:40 value")]
#[case::tagged("a.yml", "password: !unsafe 'hunter2{'\n", "1:11 value")]
#[case::block("a.yml", "token: |-\n\n  aa11bb22cc33\nnext: 1\n", "3:3 value")]
#[case::argument("a.yml", "run: helm upgrade x --set auth.password=hunter2 --wait\n", "1:41 value")]
#[case::flag("a.sh", "mysql --password=hunter2 -u root\n", "1:18 value")]
#[case::list("a.yml", "environment:\n  - DB_PASSWORD=hunter2\n", "2:17 value")]
#[case::container("a.yml", "- name: DB_PASSWORD\n  value: hunter2\n", "2:10 value")]
#[case::template("app.yml.j2", "host: {{ host }}\npassword: hunter2\n", "2:11 value")]
#[case::ini("hosts.ini", "[all]\npi ansible_host=1.2.3.4 ansible_become_pass=hunter2 x=1\n", "2:45 value")]
#[case::inventory("inventory/hosts", "pi ansible_password=\"hunter2 x\"\n", "1:22 value")]
#[case::spaced("app.conf", "secret_key = aa11bb22cc33\n", "1:14 value")]
#[case::toml("a.toml", "[db]\npassword = \"hunter2\"\n", "2:13 value")]
#[case::inside_of_text("a.toml", "args = [\"--set\", \"auth.password=hunter2\"]\n", "1:33 value")]
#[case::env(".env", "export API_TOKEN=aa11bb22cc33\nOTHER=1\n", "1:18 value")]
#[case::json("a.json", "{\"auth\": {\"clientSecret\":\"aa11bb22cc33\"}}", "1:27 value")]
#[case::service("x.service", "Environment=PGPASSWORD=hunter2\n", "1:24 value")]
#[case::several("a.yml", "password: hunter2\ntoken: aa11bb22cc33\n", "1:11 value,2:8 value")]
#[case::url("a.yml", "database: postgres://app:hunter2@db:5432/notes\n", "1:26 url")]
#[case::url_under_a_name("a.yml", "dsn_secret: postgres://app:hunter2@db/x\n", "1:28 url")]
#[case::manifest(
    "s.yaml",
    "kind: ConfigMap\ndata:\n  a: b1c2\n---\nkind: Secret\nmetadata:\n  name: x\ndata:\n  admin: aHVudGVyMg==\n",
    "9:10 manifest"
)]
#[case::string_data("s.yaml", "kind: Secret\nstringData:\n  # a: b\n  user.pw: \"hunter2\"\n", "4:12 manifest")]
#[case::enc("build/playbooks/x/cfg.enc", "a: 1\n", "1:1 not_encrypted")]
#[case::enc_with_secrets("cfg.enc", "password: hunter2\n", "1:1 not_encrypted,1:11 value")]
#[case::password_file(".vault_pass", "correct horse\n", "1:1 password_file")]
#[case::password_file_in_a_folder("secrets/vault-password.txt", "correct horse", "1:1 password_file")]
fn secrets_are_found(#[case] path: &str, #[case] text: &str, #[case] expected: &str) {
    let expected: Vec<&str> = expected.split(',').filter(|one| !one.is_empty()).collect();
    assert_eq!(found(path, text), expected);
}

#[rstest]
#[case::encrypted("cfg.enc", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")]
#[case::encrypted_elsewhere("x.enc", "-----BEGIN AGE ENCRYPTED FILE-----\nabc\n")]
#[case::sops("x.enc", "a: ENC[x]\nsops:\n  version: 3\n")]
#[case::inline("a.yml", "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n")]
#[case::vault_program("vault_pass", "#!/bin/sh\nsecret-tool lookup ansible vault\n")]
#[case::vault_password_encrypted(".vault_pass", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")]
#[case::example("cfg.example.yml", "password: hunter2\ndsn: postgres://app:hunter2@db/x\n")]
#[case::program("src/main.rs", "let password = \"hunter2\"; let token: String = token1234567890;")]
#[case::prose("README.md", "password: hunter2")]
#[case::marked("a.yml", "password: hunter2  # not a secret: of the test's own server\n")]
#[case::marked_above("a.yml", "# not a secret: of the test's own server\npassword: hunter2\n")]
#[case::marked_in_ini("a.ini", "; not a secret: of the test's own server\npassword = hunter2\n")]
#[case::items_are_references(
    "a.yml",
    "passwords: [\"{{ a }}\", $B, changeme, {name: aa11bb22}]\nsecrets:\n  - name: aa11bb22\n  - hub-token\n"
)]
#[case::items_are_open("a.yml", "passwords: [Ohph4eiSeiv0\n")]
#[case::names_of_secrets("a.yml", "imagePullSecrets: [registry-1]\nimagePullSecrets:\n  - registry-1\n")]
#[case::json_schema("a.json", "{\"password\": {\"type\": \"string\"}, \"token\": [\"a\"]}")]
fn nothing_is_found(#[case] path: &str, #[case] text: &str) {
    assert_eq!(found(path, text), [""; 0]);
}

#[rstest]
#[case::no_reason("password: hunter2  # not a secret:\n")]
#[case::no_comment("password: hunter2 not a secret: why not\n")]
#[case::too_far_above("# not a secret: of the test's own server\n\npassword: hunter2\n")]
#[case::of_another_line("a: 1  # not a secret: of the test's own server\npassword: hunter2\n")]
fn a_mark_needs_its_place_and_a_reason(#[case] text: &str) {
    assert_eq!(found("a.yml", text).len(), 1);
}

#[rstest]
#[case("password:")]
#[case("password: \"\"")]
#[case("password: ''  # why")]
#[case("password: null")]
#[case("password: ~")]
#[case("requireToken: true")]
#[case("password: 12")]
#[case("password: changeme")]
#[case("password: CHANGE_ME_PLEASE")]
#[case("password: your-password-here")]
#[case("password: <the password>")]
#[case("password: xxxxxxxx")]
#[case("password: '********'")]
#[case("password: …")]
#[case("password: \"{{ vault_password }}\"")]
#[case("password: {{ .Values.password | quote }}")]
#[case("password: {% if a %}x{% endif %}")]
#[case("password: ${DB_PASSWORD}")]
#[case("password: $DB_PASSWORD")]
#[case("password: \"$(cat /run/secrets/password)\"")]
#[case("password: %(db_password)s")]
#[case("password: %{env:X}")]
#[case("password: /run/secrets/password")]
#[case("password: ~/.password")]
#[case("token: files/token.txt")]
#[case("token: https://auth.home.arpa/token")]
#[case("token: env:API_TOKEN")]
#[case("token: op://home/api/token")]
#[case("token: lookup('file', 'x')")]
#[case("token: influxdb_token")]
#[case("password: password")]
#[case("token: bearer")]
#[case("credentials: same-origin")]
#[case("api_key: header")]
#[case("token: the token that the server gave out")]
#[case("password: At least eight characters, and a digit.")]
#[case("password: *default_password")]
#[case("secret: mercure-tls")]
#[case("authSecret: postgres")]
#[case("existingSecret: mine1234")]
#[case("imagePullSecret: registry1234")]
#[case("passwordFile: hunter2")]
#[case("passwordKey: hunter2")]
#[case("secretName: hunter2")]
#[case("tokenAlgorithm: hs256")]
#[case("maxToken: 4096")]
#[case("rpassword: 7.5.4")]
#[case("token: 30s")]
#[case("password: [a, b]")]
#[case("password: {from: there}")]
#[case("password: |\n  {{ secret }}")]
#[case("password: |\nother: hunter2")]
#[case("# password: hunter2")]
#[case("when: password == 'hunter2'")]
#[case("when: password != 'hunter2' and token=='aa11bb22cc33'")]
#[case("message: 'Enter the password: now1'")]
#[case("run: test -n \"$password\" && token=$1 password=$(cat x)")]
#[case("- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: a1b2, key: a1b2}}")]
#[case("- name: DB_PASSWORD\n  value: \"{{ x }}\"")]
#[case("dsn: postgres://app:{{ password }}@db/x")]
#[case("dsn: postgres://app:$PASSWORD@db/x")]
#[case("dsn: postgres://app:password@db/x")]
#[case("dsn: smtp://me:hunter2@mail.example.com:587")]
#[case("link: https://[::1]:80/a@b")]
#[case("kind: Secret\nmetadata:\n  name: x\ndata:\n  a: {{ .Values.a | b64enc }}\n  b: \"\"\n")]
#[case("kind: ConfigMap\ndata:\n  a: b1c2d3\n")]
fn placeholders_references_and_switches_are_none(#[case] text: &str) {
    assert_eq!(found("values.yml", text), [""; 0], "{text}");
}

/// `<`, base64 or the like of a length, which no rule takes for a row of one sign.
fn letters(length: usize) -> String {
    "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7".chars().cycle().take(length).collect()
}

fn digits(length: usize) -> String {
    "0123456789abcdef".chars().cycle().take(length).collect()
}

#[rstest]
#[case::aws(format!("AKIA{}", letters(16).to_uppercase()))]
#[case::github(format!("ghp_{}", letters(36)))]
#[case::github_fine(format!("github_pat_{}", letters(60)))]
#[case::gitlab(format!("glpat-{}", letters(20)))]
#[case::slack(format!("xoxb-{}-{}", digits(10), letters(24)))]
#[case::tailscale(format!("tskey-auth-{}-{}", letters(12), letters(30)))]
#[case::k3s(format!("K10{}::server:{}", digits(64), digits(32)))]
#[case::k3s_node(format!("K10{}::node:{}", digits(64), digits(32)))]
#[case::jwt(format!("eyJ{}.eyJ{}.{}", letters(20), letters(40), letters(43)))]
#[case::hugging_face(format!("hf_{}", "abcdefghijKLMNOP".repeat(3).get(..34).unwrap()))]
#[case::telegram(format!("123456789:AA{}", letters(33)))]
#[case::age(format!("AGE-SECRET-KEY-1{}", letters(58).to_uppercase()))]
fn tokens_are_found_in_any_file(#[case] token: String) {
    for path in ["src/main.rs", "README.md", "a.yml", "cfg.example.yml"] {
        assert_eq!(found(path, &format!("ä \"{token}\"\n")), ["1:4 token"], "{path}: {token}");
        assert_eq!(found(path, &format!("x{token}\n")), [""; 0], "{path}: {token}");
    }
    assert_eq!(found("a.yml", &format!("token: {token}\n")), ["1:8 token"], "told once");
}

#[rstest]
#[case(format!("AKIA{}EXAMPLE", letters(9).to_uppercase()))]
#[case(format!("ghp_{}", "x".repeat(36)))]
#[case(format!("K10{}::server:{}", "0".repeat(64), "0".repeat(32)))]
fn tokens_of_documentation_are_none(#[case] token: String) {
    assert_eq!(found("a.md", &token), [""; 0]);
}

#[rstest]
#[case("", "", 1)]
#[case("RSA ", "", 1)]
#[case("OPENSSH ", "", 1)]
#[case("ENCRYPTED ", "", 0)]
#[case("RSA ", "Proc-Type: 4,ENCRYPTED\n", 0)]
#[case("PUBLIC ", "", 0)]
fn private_keys(#[case] kind: &str, #[case] header: &str, #[case] count: usize) {
    let begin = format!("-----BEGIN {kind}PRIVATE KEY-----");
    let body = letters(64);
    for text in [format!("{begin}\n{header}{body}\n"), format!("key: |\n  {begin}\n  {header}  {body}\n")] {
        assert_eq!(found("id", &text).len(), count, "{text}");
    }
    let escaped = format!("{begin}\n{header}{body}\n").replace('\n', "\\n");
    assert_eq!(found("a.json", &format!("{{\"k\": \"{escaped}\"}}")).len(), count);
    assert_eq!(found("a.rs", &format!("text.contains(\"{begin}\")\n")), [""; 0], "only speaks of keys");
}

#[test]
fn a_kubeconfig_is_found_by_its_key() {
    let text = format!("users:\n- user:\n    client-key-data: {}\n", letters(200));
    assert_eq!(found("config", &text), ["3:22 private_key"]);
    assert_eq!(found("config", "users:\n- user:\n    client-key-data: {{ key }}\n"), [""; 0]);
}

#[test]
fn a_finding_tells_what_to_do_and_not_the_secret() {
    let findings = scan("group_vars/all.yml", "db_password: hunter2\n");
    assert_eq!(findings[0].what, "a value under `db_password`");
    let hint = "run `cluster vault encrypt-string --name db_password --prompt` for this value, or `cluster vault encrypt group_vars/all.yml`";
    assert_eq!(findings[0].hint, hint);
    assert!(!format!("{findings:?}").contains("hunter2"));
    assert_eq!(scan("cfg.enc", "a: 1")[0].hint, "run `cluster vault encrypt cfg.enc`");
}

#[test]
fn a_folder_is_searched_without_what_git_ignores() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "password: hunter2\n").unwrap();
    };
    for name in
        ["b/c.yml", "a.yml", ".env.yml", "local/x.yml", ".git/config", "target/x.yml", ".cluster/x.yml", "b/own.yml"]
    {
        write(name);
    }
    std::fs::write(folder.path().join(".gitignore"), "/local/\n").unwrap();
    std::fs::write(folder.path().join("b/.gitignore"), "own.yml\n").unwrap();
    std::fs::write(folder.path().join("binary.yml"), b"password: hunter2\n\0\xff").unwrap();
    std::os::unix::fs::symlink("a.yml", folder.path().join("link.yml")).unwrap();
    let findings = below(folder.path());
    let root = format!("{}/", folder.path().display());
    let seen: Vec<&str> = findings.iter().map(|finding| finding.position.file.strip_prefix(&*root).unwrap()).collect();
    assert_eq!(seen, [".env.yml", "a.yml", "b/c.yml"]);
    assert_eq!(below(&folder.path().join("a.yml")).len(), 1);
    assert_eq!(below(&folder.path().join("none")), []);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", path in "[a-z./]{0,12}") {
        for path in [path.as_str(), "a.yml", "a.json", "a.ini", "a.sh", "cfg.enc"] {
            scan(path, &text);
        }
    }

    #[test]
    fn nor_what_looks_like_assignments(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("password"), Just("token"), Just(": "), Just("="), Just(" = "), Just("\""), Just("'"), Just("{"), Just("}"),
                Just("{{"), Just("\n"), Just("\r\n"), Just("  "), Just("- name:"), Just("value:"), Just("|"), Just("!unsafe "),
                Just("hunter2"), Just("ü"), Just("#"), Just("://a:b1@c"), Just("kind: Secret\ndata:\n"), Just("\\"), Just(",")
            ],
            0..40,
        ),
    ) {
        let text = parts.concat();
        for path in ["a.yml", "a.json", "a.ini", "a.sh"] {
            for finding in scan(path, &text) {
                let line = text.split('\n').nth(finding.position.line as usize - 1).unwrap();
                prop_assert!(finding.position.column as usize <= line.chars().count() + 1);
            }
        }
    }
}

#[rstest]
#[case("x/cfg.enc", b"\xff\x00\x01", true)]
#[case("x/cfg.enc", b"", true)]
#[case("x/cfg.enc", b"Salted__\xff\x00", false)]
#[case("x/cfg.enc", b"age-encryption.org/v1\n\xff", false)]
#[case("x/cfg.enc", b"$ANSIBLE_VAULT;1.1;AES256\n\xff", false)]
#[case("x/logo.png", b"\xff\x00\x01", false)]
fn a_file_that_is_no_text_has_a_name(#[case] path: &str, #[case] bytes: &[u8], #[case] expected: bool) {
    let found = scan_binary(path, bytes);
    assert_eq!(found.map(|finding| finding.kind), expected.then_some(Kind::NotEncrypted));
}
