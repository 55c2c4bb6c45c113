import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from training import checkpoint, fleet
from training.catalogue import Language, catalogue
from training.checkpoint import is_current, write
from training.errors import UnknownLanguage
from training.head import FOLDER, Head
from training.source import Source

WHOLE = Language(tag="mul", covers=("en", "ru"), locales=("en",))
ENGLISH = Language(tag="en", covers=("en",), locales=("de",), scripts=frozenset({"LATIN"}))
WEIGHT = tuple(float(number) for number in np.random.default_rng(3).normal(size=32))
HEAD = Head(name="tiny", weight=WEIGHT, bias=0.25)
TEXTS = ["хорош film", "good good bad", "2"]


def built(source: Source, row: Language, folder: Path) -> Path:
    """Write the checkpoint of a row with HEAD."""
    return fleet.assemble(source, row, HEAD, folder / row.tag, lambda _: None)


def logits(directory: Path, text: str) -> torch.Tensor:
    """Return the logits (2,) of a checkpoint for one text."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
    with torch.inference_mode():
        found: torch.Tensor = model(**tokenizer(text, return_tensors="pt")).logits[0]
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_log_odds_are_the_head_on_the_normalised_mean(
    tiny: Source, tmp_path: Path, text: str
) -> None:
    """The averaging layer is exact: stock BERT gives what the head was trained on."""
    directory = built(tiny, WHOLE, tmp_path)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
    with torch.inference_mode():
        inputs = tokenizer(text, return_tensors="pt")
        states = model.bert(**inputs, output_hidden_states=True).hidden_states[-2][0]
    mean = states.mean(dim=0)
    feature = (mean - mean.mean()) / mean.std(unbiased=False)

    negative, positive = logits(directory, text).tolist()

    expected = float(feature @ torch.tensor(WEIGHT)) + HEAD.bias
    assert positive - negative == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("text", ["good film", "bad, o bad", "2"])
def test_pruned_model_answers_as_the_whole_one(tiny: Source, tmp_path: Path, text: str) -> None:
    """Pieces that a text does not use can go without changing its answer."""
    whole, english = built(tiny, WHOLE, tmp_path), built(tiny, ENGLISH, tmp_path)

    assert logits(whole, text).tolist() == pytest.approx(logits(english, text).tolist(), abs=1e-5)
    sizes = [(directory / "model.safetensors").stat().st_size for directory in (whole, english)]
    assert sizes[1] < sizes[0]


def test_prefix_is_put_in_by_the_tokenizer(tiny: Source, tmp_path: Path) -> None:
    """E5 wants "query: " before a text; a caller passes the bare text."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(built(tiny, WHOLE, tmp_path))

    pieces = tokenizer.convert_ids_to_tokens(tokenizer("good")["input_ids"])

    assert pieces == ["<s>", "▁query", ":", "▁good", "</s>"]


def test_prefix_counts_when_a_text_is_cut(tiny: Source, tmp_path: Path) -> None:
    """A text cut to n tokens has n, prefix included."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(built(tiny, WHOLE, tmp_path))

    assert len(tokenizer("good " * 20, truncation=True, max_length=9)["input_ids"]) == 9


def test_checkpoint_loads_without_a_warning(
    tiny: Source, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Transformers knows every file and every tensor of it."""
    directory = built(tiny, WHOLE, tmp_path)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AutoModelForSequenceClassification.from_pretrained(directory)

    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert caplog.records == []


def test_interrupted_write_leaves_no_checkpoint(tmp_path: Path) -> None:
    """A directory under its name is a finished one."""
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "de", {}, {"config.json": "{}", "tokenizer.json": "\ud800"})

    assert not (tmp_path / "de").exists()


def test_leftovers_do_not_stop_the_next_write(tmp_path: Path) -> None:
    """After a kill the next build starts afresh."""
    (tmp_path / ".de.part").mkdir()
    (tmp_path / ".de.part" / "model.safetensors").write_text("half")

    directory = write(tmp_path / "de", {"a": np.zeros(1, np.float32)}, {"config.json": "{}"})

    assert {path.name for path in directory.iterdir()} == {"config.json", "model.safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["de"]


def test_finished_checkpoint_of_the_same_recipe_is_current(tiny: Source, tmp_path: Path) -> None:
    """Only what was made of something else is made again."""
    directory = built(tiny, WHOLE, tmp_path)

    assert is_current(directory, fleet.recipe(WHOLE, HEAD))
    assert not is_current(directory, fleet.recipe(WHOLE, HEAD.model_copy(update={"bias": 1.0})))
    assert not is_current(tmp_path / "nothing", fleet.recipe(WHOLE, HEAD))


def test_existing_checkpoint_is_taken_as_it_is(tmp_path: Path) -> None:
    """The second start reads one small file."""
    directory = tmp_path / "checkpoints" / "th"
    directory.mkdir(parents=True)
    recipe = fleet.recipe(catalogue().language("th"))
    (directory / "config.json").write_text(f'{{"polysent_recipe": "{recipe}"}}')

    assert fleet.build("th", tmp_path) == directory


def test_unknown_language_is_refused_before_any_download(tmp_path: Path) -> None:
    """A typing error costs nothing."""
    with pytest.raises(UnknownLanguage):
        fleet.build("tlh", tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", fleet.languages())
def test_every_language_has_a_head_of_the_encoders_width(language: str) -> None:
    """What `build` needs from the repository is committed."""
    head = Head.load(catalogue().language(language).head)

    assert len(head.weight) == 384
    assert fleet.data_digest(language) == head.digest()


@pytest.mark.parametrize("row", catalogue().labelled(), ids=lambda row: row.tag)
def test_language_with_rows_has_weights_of_its_own(row: Language) -> None:
    """A fine-tune is not the shared head under another name."""
    shared, own = Head.load("shared"), Head.load(row.head)

    assert own.weight != shared.weight
    assert own.prior == shared.digest()
    assert set(own.trained_on) == {row.tag}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_committed_heads_are_small(path: Path) -> None:
    """Numbers are committed, data is not."""
    assert path.stat().st_size <= 32 * 1024


def test_classifier_is_half_the_head_each_way() -> None:
    """The difference of the two logits is the log-odds."""
    tensors = checkpoint.classifier(HEAD)
    negative, positive = tensors["classifier.weight"]

    assert (positive - negative) * checkpoint.POOLER_SCALE == pytest.approx(WEIGHT, rel=1e-5)
    assert tensors["classifier.bias"].tolist() == [-0.125, 0.125]
