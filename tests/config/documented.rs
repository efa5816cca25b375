//! What the docs say a command prints is what it prints.
//!
//! In `docs/*.md` and `README.md`, a fenced block that is a file, directly followed (but for empty lines) by a
//! `text` block that begins with `error:`, `warning:` or `$ `, is a case:
//!
//! - the file blocks are `yaml`, `json` or `toml`; several in a row are several files. A file is called
//!   `experiment.<language>`, or as the word after the language says: ` ```json ranker.schema.json `
//! - the command is `spearmint config validate` with the first file; a `text` block that begins with
//!   `$ NAME=value … spearmint …` names another one, with variables of its environment
//! - the rest of the `text` block is exactly what the command prints: stdout, then stderr

use std::{path::Path, process::Command};

struct Block {
    language: String,
    name: Option<String>,
    text: String,
    line: usize,
    /// Whether nothing but empty lines stands between it and the block before.
    is_next: bool,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = None;
    let mut is_next = false;
    for (at, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                open = Some(Block {
                    language: words.next().unwrap_or_default().to_owned(),
                    name: words.next().map(str::to_owned),
                    text: String::new(),
                    line: at + 1,
                    is_next,
                });
            }
            (Some(_), Some(_)) => {
                blocks.extend(open.take());
                is_next = true;
            }
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => is_next &= line.trim().is_empty(),
        }
    }
    blocks
}

/// Runs every case of a text; how many there were.
fn check(file: &Path) -> usize {
    let blocks = blocks(&std::fs::read_to_string(file).unwrap());
    let mut count = 0;
    for (at, said) in blocks.iter().enumerate() {
        let is_said = ["error:", "warning:", "$ "].iter().any(|start| said.text.starts_with(start));
        if said.language != "text" || !is_said || !said.is_next {
            continue;
        }
        let mut files = Vec::new();
        for (at, block) in blocks[..at].iter().enumerate().rev() {
            if !["yaml", "json", "toml"].contains(&block.language.as_str()) {
                break;
            }
            let default = format!("experiment.{}", block.language);
            files.push((block.name.clone().unwrap_or(default), &block.text));
            if at == 0 || !block.is_next {
                break;
            }
        }
        let Some((first, _)) = files.last() else { continue };
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in &files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (command, expected) = match said.text.strip_prefix("$ ") {
            Some(rest) => rest.split_once('\n').unwrap(),
            None => (&*format!("spearmint config validate {first}"), &*said.text),
        };
        // A shell, for the quotes; the binary stands in for the name.
        let binary = env!("CARGO_BIN_EXE_spearmint");
        let script = format!("spearmint() {{ '{binary}' \"$@\"; }}\n{command}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(directory.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        assert_eq!(
            String::from_utf8(printed).unwrap(),
            expected,
            "{}:{}: `{command}` prints otherwise",
            file.display(),
            said.line
        );
        count += 1;
    }
    count
}

#[test]
fn every_message_in_the_docs_is_printed_as_it_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = check(&root.join("README.md"));
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            count += check(&path);
        }
    }
    assert!(count >= 12, "only {count} cases were found");
}

#[test]
fn a_case_is_told_from_other_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.md");
    let case = "```yaml\nexperiment: a\n```\n\n```text\nerror: experiment.yaml:1:1: missing key `configs`\n\
                error: experiment.yaml:1:1: missing key `strategy`\n```\n";
    let others = "```yaml\na: 1\n```\nwords\n```text\nerror: no case\n```\n\
                  ```yaml\na: 1\n```\n```text\nplain\n```\n";
    std::fs::write(&file, format!("{others}{case}")).unwrap();
    assert_eq!(check(&file), 1);
    std::fs::write(&file, case.replace("missing", "mising")).unwrap();
    assert!(std::panic::catch_unwind(|| check(&file)).is_err());
}
