use std::path::PathBuf;

/// Why a table could not be learnt from, or a model of one not be used. Each sentence names the file, and the line, column or tensor.
#[derive(Debug, thiserror::Error)]
pub enum TabularError {
    /// The disk said no.
    #[error("cannot {doing} {path}: {source}; check that it exists and that this user may use it")]
    Io {
        /// "read" or "write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No rows.
    #[error("{path} holds no rows; expected a line with the names of the columns and then one line for each session")]
    Empty {
        /// The file.
        path: String,
    },
    /// The first line cannot name columns.
    #[error("{path} line 1: {problem}; expected the names of the columns, each once")]
    BadHeader {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A column that is needed is not there.
    #[error("{path} has no column {column:?}; it has {found}")]
    MissingColumn {
        /// The file.
        path: String,
        /// The name.
        column: String,
        /// The names that there are.
        found: String,
    },
    /// A label that is neither yes nor no.
    #[error("{path} line {line}: the label column {column:?} holds {found:?}; expected 0, 1, true or false")]
    BadLabel {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// The label column.
        column: String,
        /// What stands there, shortened.
        found: String,
    },
    /// NaN, infinity, or a number beyond the range of 32 bits.
    #[error("{path} line {line}: column {column:?} holds {found:?}, which is no finite number; leave a cell empty where nothing is known")]
    NotFinite {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// A cell that is no measurement.
    #[error(
        "{path} line {line}: the cell of column {column:?} has {characters} characters, more than {most}; is a quotation mark missing?"
    )]
    LongCell {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// The column.
        column: String,
        /// Its length.
        characters: usize,
        /// The limit.
        most: usize,
    },
    /// Most of the file is not a table of this kind.
    #[error("{path}: {bad} of {rows} rows cannot be used, the first at line {line} ({reason}); at most half may be bad")]
    MostlyBad {
        /// The file.
        path: String,
        /// Rows that cannot be used.
        bad: usize,
        /// All rows.
        rows: usize,
        /// Of the first bad one, from 1.
        line: u64,
        /// Why the first is bad.
        reason: String,
    },
    /// One answer only.
    #[error("{path}: the label column {column:?} is {only} in every row; both answers are needed, {needed} of each at least")]
    OneClass {
        /// The file.
        path: String,
        /// The label column.
        column: String,
        /// "true" or "false".
        only: bool,
        /// Rows needed of each.
        needed: usize,
    },
    /// Too little of one answer.
    #[error("{path}: the label column {column:?} is {rare} in {found} rows only; at least {needed} are needed")]
    TooFew {
        /// The file.
        path: String,
        /// The label column.
        column: String,
        /// The rarer answer.
        rare: bool,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// No column says anything.
    #[error("{path}: no column but the label differs from row to row; there is nothing to learn from")]
    NothingToLearn {
        /// The file.
        path: String,
    },
    /// The row that was asked for is not there.
    #[error("{path} has {rows} rows that can be used; row {row} is not among them (rows count from 1)")]
    NoSuchRow {
        /// The file.
        path: String,
        /// What was asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// A setting out of its range.
    #[error("{key} is {found}; expected {expected}")]
    BadSetting {
        /// Its name on the command line.
        key: &'static str,
        /// What was given.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The loss became NaN or infinite.
    #[error("the training diverged: the loss is no longer a number; lower the learning rate")]
    Diverged,
    /// Not a safetensors file, or one cut short.
    #[error("{path} is no complete safetensors file ({reason}); copy it again or train it anew with `kioskd behavior train`")]
    NotSafetensors {
        /// The file.
        path: String,
        /// What the parser said.
        reason: String,
    },
    /// Weights of something else.
    #[error("{path} holds no model of a table ({reason}); give the folder that `kioskd behavior train` wrote")]
    OtherModel {
        /// The file.
        path: String,
        /// What is missing or different.
        reason: String,
    },
    /// A tensor is not there, has another type or shape, or cannot be right.
    #[error("{path}: tensor {tensor:?} {problem}; the file is damaged, train it anew")]
    BadTensor {
        /// The file.
        path: String,
        /// Its name.
        tensor: String,
        /// The end of the sentence.
        problem: String,
    },
    /// The model is of several learners, or of trees.
    #[error(
        "the model is made of {found}, but this needs a single network; train one with `--preset network`, or make one with `kioskd behavior distill`"
    )]
    NotOneNetwork {
        /// Its kinds of learners.
        found: String,
    },
    /// An update that was made for other weights.
    #[error("{path} was made from the model {found}, but {expected} is to be changed; export it again from that model")]
    OtherBase {
        /// The update.
        path: String,
        /// Checksum of the model that it was made from.
        found: String,
        /// Checksum of the model at hand.
        expected: String,
    },
    /// The privacy that was asked for cannot be had.
    #[error("no noise keeps {steps} steps within epsilon {epsilon}; ask for a larger epsilon or fewer epochs")]
    TooPrivate {
        /// Asked for.
        epsilon: f64,
        /// Steps of the training.
        steps: usize,
    },
    /// The file cannot be made; a bug here.
    #[error("the model could not be written down: {0}")]
    Unwritable(String),
}
