/// Frequent English words: none of them is a misspelt product, and none is a person's name. From the head of the frequency list of the
/// New General Service List (Browne, Culligan & Phillips, 2013), shortened to words of everyday requests, with their usual forms.
const COMMON: &str = "a able about above according account actually add after afternoon again ago all allow almost alone along already \
    also always am american americans among an and another any anybody anyone anything anyway apply are area arrange around as ask asked at available away back bad \
    bag be because become been before began begin behind being believe below beside best better between big bit blocked book both bottom bought \
    box bring brought but buy by call called came can cannot car card care case change charge cheap check checked clean clear close closed cold \
    come coming correct cost could count couple course cup cut daily day deal decide did didn't different dinner do does doesn't doing don't done door \
    double down drink drive during each early easy eat eight either else employed employer end enjoy enough even evening ever every everyone everything except \
    exactly expect expensive expires express expression eye face fact family far fast feel few fifteen fifty find fine finish first five floor follow food for \
    forget found four fourth free fresh friend from front full gave general germany get getting give given go going gone good got grand great group \
    grow guess had half hand happen happy hard has hat have having he head hear heard heat heavy hello help her here hi high him his hold \
    home hope hot hour hours house how however hundred i i'd i'll i'm i've idea if important in inside instead into is isn't issue it italy it's \
    item items its job just keep kept kids kind knew know known large last late later least leave left less let letter life light like \
    line list listen little live lives local locks long look looking looks lost lot lots love low lower lunch made main make makes making man manage many matter \
    may maybe me mean means meant meet member middle might miles mind mine minute minutes miss mom moment money month more morning most mother \
    move much must my name near nearly need needs never new next nice night nine no nobody none nor not nothing now number of off offer \
    office often oh okay old on once one ones only open or order other others ought our out outside over own page paid paper paris part party \
    past pay paying peace people perhaps person phone pick piece place plain plan plate play please plugs point possible price probably problem put \
    question quick quickly quite rather read readable ready real really reason red remember rest return right room round run said same save saw \
    say says second see seem seen sell send sense serve service set seven several shall she shelf shop short should show side since sir \
    sit six size sized slow small smell so some somebody someone something sometimes somewhere son soon sorry sort sound speak special spots \
    stand start started starting state stay still stop store story string strong such sure table take taken taking talk tell ten than thank \
    thanks that that's the their them themselves then there there's these they thing things think third this those though thought \
    thousand three through time times to today together told tomorrow tonight too took top total touch towards town tried try trying \
    turn twelve twenty twice two type under understand union until up upon us use used using usual usually vegas very view visit wait waiting walk \
    wall want wanted wants warm was wasn't waste watch water way we week weekend weeks well went were what what's when where where's \
    whether which while white who whole whose why wide will wish with within without woman won't wonder word words work working world \
    would write wrong year years yes yesterday yet you you'd you'll you're you've young your yours zero";

/// The words, to be asked many times.
#[derive(Debug)]
pub(super) struct CommonWords(std::collections::HashSet<&'static str>);

impl CommonWords {
    pub(super) fn new() -> Self {
        Self(COMMON.split_whitespace().collect())
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_are_common_and_names_are_not() {
        let common = CommonWords::new();
        assert!(common.has("there") && common.has("don't"));
        assert!(!common.has("maria") && !common.has(""));
    }
}
