"""The adapter's parts, without the weights."""
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is only in the environment that trains")

from labelled import kept_back, read, training_part  # noqa: E402
from minilm import HEADS, LAYERS, WIDTH, Network  # noqa: E402


def made_up_weights():
    torch.manual_seed(1)
    tensors = {f"embeddings.{name}.weight": 0.02 * torch.randn(rows, WIDTH)
               for name, rows in (("word_embeddings", 50), ("position_embeddings", 20), ("token_type_embeddings", 2))}
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        sizes = [(f"attention.self.{role}", WIDTH, WIDTH) for role in ("query", "key", "value")]
        sizes += [("attention.output.dense", WIDTH, WIDTH), ("intermediate.dense", 1536, WIDTH), ("output.dense", WIDTH, 1536)]
        for part, out_width, in_width in sizes:
            tensors[f"{name}.{part}.weight"] = 0.02 * torch.randn(out_width, in_width)
            tensors[f"{name}.{part}.bias"] = torch.zeros(out_width)
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    for norm in norms:
        tensors[f"{norm}.weight"], tensors[f"{norm}.bias"] = torch.ones(WIDTH), torch.zeros(WIDTH)
    return tensors


def test_an_untrained_adapter_changes_nothing_and_padding_neither():
    weights, device = made_up_weights(), torch.device("cpu")
    one, other = (Network(weights, rank, device, seed=1) for rank in (2, 8))
    alone = one.pooled([[1, 7, 9, 2]], (0, 6), 0.0)
    padded = other.pooled([[1, 7, 9, 2], [1, 3, 4, 5, 6, 8, 2]], (0, 6), 0.0)[:1]
    assert torch.allclose(alone, padded, atol=1e-4)
    assert alone.shape == (1, 2 * WIDTH) and WIDTH % HEADS == 0


def test_what_is_exported_adds_what_was_trained():
    network = Network(made_up_weights(), 4, torch.device("cpu"), seed=1)
    name = "encoder.layer.0.output.dense.weight"
    with torch.no_grad():
        network.adapter[f"{name}.lora_B"] += 1
    x = torch.randn(3, 1536)
    exported = network.export()
    change = exported[f"{name}.lora_B"].float() @ exported[f"{name}.lora_A"].float()
    expected = x @ (network.weights[name] + change).T
    assert torch.allclose(network._linear("encoder.layer.0.output.dense", x), expected, atol=0.05)


def test_one_sentence_in_eight_is_kept_back_whatever_its_case(tmp_path):
    kept = sum(kept_back(f"sentence {number}") for number in range(4000))
    assert 400 < kept < 600
    assert kept_back("My Card ") == kept_back("my card")
    file = tmp_path / "sentences.csv"
    file.write_text("text,category\n" + "".join(f'"sentence {n}, please",a\n' for n in range(100)), encoding="utf-8")
    rows = read(file)
    assert len(rows) == 100 and 70 < len(training_part(rows)) < 100
