/// Other numbers of a phrase: of "granny smith" the plural "granny smiths", of "peaches" the singular "peach". Only its last word changes.
/// Irregular plurals stand in the shop's files.
pub(super) fn inflected(phrase: &str) -> Vec<String> {
    let (before, last) = match phrase.rfind(' ') {
        Some(at) => phrase.split_at(at + 1),
        None => ("", phrase),
    };
    let is_word = last.len() >= 3 && last.chars().all(char::is_alphabetic);
    let other = if is_word { [plural(last), singular(last)] } else { [None, None] };
    other.into_iter().flatten().filter(|word| word != last).map(|word| format!("{before}{word}")).collect()
}

fn plural(word: &str) -> Option<String> {
    if word.ends_with(['s', 'x']) || word.ends_with("ch") || word.ends_with("sh") {
        return (!word.ends_with('s') || word.ends_with("ss")).then(|| format!("{word}es"));
    }
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => Some(format!("{stem}ies")),
        _ => Some(format!("{word}s")),
    }
}

fn singular(word: &str) -> Option<String> {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() >= 2) {
        return Some(format!("{stem}y"));
    }
    let is_long = ["ches", "shes", "sses", "xes", "oes"].iter().any(|ending| word.ends_with(ending));
    let stem = if is_long { word.strip_suffix("es") } else { word.strip_suffix('s') }?;
    (stem.len() >= 3 && !stem.ends_with('s'))
        .then(|| stem.to_owned())
        .or_else(|| word.strip_suffix("es").filter(|_| is_long).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_gets_its_other_number() {
        let table = [
            ("granny smith", "granny smiths"),
            ("peaches", "peach"),
            ("cherry", "cherries"),
            ("blueberries", "blueberry"),
            ("tomatoes", "tomato"),
            ("box", "boxes"),
            ("glasses", "glass"),
            ("latte", "lattes"),
        ];
        for (phrase, other) in table {
            assert!(inflected(phrase).contains(&other.to_owned()), "{phrase}: {:?}", inflected(phrase));
        }
    }

    #[test]
    fn what_is_no_word_has_no_other_number() {
        for phrase in ["", "7", "oj", "size 4"] {
            assert!(inflected(phrase).is_empty(), "{phrase}");
        }
    }
}
