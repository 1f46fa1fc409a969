//! Frequent words that are written in more than one way and said in one.

/// American and British stems in -or and -our, and what may follow: "colored" is "coloured".
const OUR: [(&str, &str); 12] = [
    ("armor", "armour"),
    ("behavior", "behaviour"),
    ("color", "colour"),
    ("favor", "favour"),
    ("flavor", "flavour"),
    ("harbor", "harbour"),
    ("honor", "honour"),
    ("humor", "humour"),
    ("labor", "labour"),
    ("neighbor", "neighbour"),
    ("rumor", "rumour"),
    ("savor", "savour"),
];
const OUR_ENDINGS: [&str; 14] = ["", "s", "ed", "ing", "er", "ers", "ful", "less", "able", "hood", "ly", "y", "ite", "ites"];

/// Stems in -ize and -ise, and what may follow: "organizing" is "organising".
const ISE: [(&str, &str); 7] = [
    ("analyz", "analys"),
    ("apologiz", "apologis"),
    ("criticiz", "criticis"),
    ("organiz", "organis"),
    ("realiz", "realis"),
    ("recogniz", "recognis"),
    ("specializ", "specialis"),
];
const ISE_ENDINGS: [&str; 8] = ["e", "es", "ed", "ing", "er", "ers", "ation", "ations"];

/// Words with one sound and two spellings: the other one, and the usual one. The usual one may be two words.
const WORDS: [(&str, &str); 56] = [
    ("alright", "all right"),
    ("canceled", "cancelled"),
    ("canceling", "cancelling"),
    ("cannot", "can not"),
    ("catalog", "catalogue"),
    ("catalogs", "catalogues"),
    ("center", "centre"),
    ("centered", "centred"),
    ("centers", "centres"),
    ("centimeter", "centimetre"),
    ("centimeters", "centimetres"),
    ("defense", "defence"),
    ("dialog", "dialogue"),
    ("doctor", "dr"),
    ("donut", "doughnut"),
    ("donuts", "doughnuts"),
    ("etc", "et cetera"),
    ("etcetera", "et cetera"),
    ("fiber", "fibre"),
    ("fulfill", "fulfil"),
    ("gaol", "jail"),
    ("gaols", "jails"),
    ("gray", "grey"),
    ("hullo", "hello"),
    ("jewelry", "jewellery"),
    ("kilo", "kilogram"),
    ("kilometer", "kilometre"),
    ("kilometers", "kilometres"),
    ("kilos", "kilograms"),
    ("license", "licence"),
    ("licenses", "licences"),
    ("liter", "litre"),
    ("liters", "litres"),
    ("meter", "metre"),
    ("meters", "metres"),
    ("milliliter", "millilitre"),
    ("milliliters", "millilitres"),
    ("missis", "mrs"),
    ("missus", "mrs"),
    ("mister", "mr"),
    ("offense", "offence"),
    ("ok", "okay"),
    ("pajamas", "pyjamas"),
    ("percent", "per cent"),
    ("practise", "practice"),
    ("program", "programme"),
    ("programs", "programmes"),
    ("saint", "st"),
    ("theater", "theatre"),
    ("theaters", "theatres"),
    ("traveled", "travelled"),
    ("traveler", "traveller"),
    ("traveling", "travelling"),
    ("versus", "vs"),
    ("whiskey", "whisky"),
    ("yogurt", "yoghurt"),
];

/// The usual spelling of a word in lower case; may be two words.
pub(super) fn usual(word: &str) -> String {
    if let Some((_, usual)) = WORDS.iter().find(|(other, _)| *other == word) {
        return (*usual).to_owned();
    }
    let british = |stems: &[(&str, &str)], endings: &[&str]| {
        stems.iter().find_map(|(american, british)| {
            let ending = word.strip_prefix(american)?;
            endings.contains(&ending).then(|| format!("{british}{ending}"))
        })
    };
    british(&OUR, &OUR_ENDINGS).or_else(|| british(&ISE, &ISE_ENDINGS)).unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_word_become_one() {
        for (american, british) in
            [("colored", "coloured"), ("organizing", "organising"), ("neighborhood", "neighbourhood"), ("gray", "grey")]
        {
            assert_eq!(usual(american), british);
            assert_eq!(usual(british), british);
        }
    }

    #[test]
    fn a_word_that_only_begins_like_one_stays_as_it_is() {
        for word in ["colorado", "laboratory", "graying", "honorary", "okra", "saints"] {
            assert_eq!(usual(word), word);
        }
    }

    #[test]
    fn the_usual_spelling_has_no_other() {
        for (_, spelling) in WORDS {
            assert!(spelling.split(' ').all(|word| usual(word) == word), "{spelling}");
        }
    }
}
