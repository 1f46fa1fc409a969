//! The arrows of ARCHITECTURE.md hold because this reads both the table and the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rows `| \`folder/\` | what | \`may\`, \`import\` |` of the table.
fn may_import() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let folder = cells.next()?.strip_suffix("/`")?.to_owned();
        let imports = cells.last()?.trim_end_matches([' ', '|']);
        let names = imports.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((folder, names))
    });
    rows.collect()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_under(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Folders of this crate that a file names: `crate::folder::`.
fn imports_of(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1).map(name).collect::<Vec<_>>())
        .filter(|folder| !folder.is_empty() && Path::new("src").join(folder).is_dir())
        .collect()
}

#[test]
fn no_folder_imports_from_above_or_beside() {
    let allowed = may_import();
    let mut wrong = Vec::new();
    for folder in std::fs::read_dir("src").expect("src").filter_map(Result::ok).filter(|e| e.path().is_dir()) {
        let name = folder.file_name().to_string_lossy().into_owned();
        let Some(allowed) = allowed.get(&name) else {
            wrong.push(format!("src/{name}/ has no row in ARCHITECTURE.md"));
            continue;
        };
        for file in files_under(&folder.path()) {
            let imports = imports_of(&std::fs::read_to_string(&file).expect("a source file"));
            let extra: Vec<_> = imports.iter().filter(|import| **import != name && !allowed.contains(*import)).collect();
            if !extra.is_empty() {
                wrong.push(format!("{} imports {extra:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "move the shared type down into domain/, or go through turn/: {wrong:#?}");
}

#[test]
fn every_folder_of_the_table_is_there_and_the_arrows_have_no_circle() {
    let allowed = may_import();
    assert!(allowed.len() >= 10, "the table of ARCHITECTURE.md was not found");
    for folder in allowed.keys() {
        assert!(Path::new("src").join(folder).is_dir(), "ARCHITECTURE.md tells of src/{folder}/, which is not there");
    }
    // Kahn: take away folders whose imports are all gone; what is left stands in a circle.
    let mut left = allowed.clone();
    while let Some(free) = left.iter().find(|(_, imports)| imports.iter().all(|i| !left.contains_key(i))).map(|(f, _)| f.clone()) {
        left.remove(&free);
    }
    assert!(left.is_empty(), "these import each other in a circle: {:?}", left.keys());
}

#[test]
fn the_domain_knows_only_the_standard_library() {
    for file in files_under(Path::new("src/domain")) {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["serde", "tokio", "std::fs", "std::time::SystemTime", "std::net"] {
            assert!(!code.contains(word), "{} mentions {word}", file.display());
        }
    }
}
