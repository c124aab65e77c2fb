"""Several data sets as one."""

import numpy as np
import pytest

from tfflow.data.datasets import FlowDataset, FlowSample, Mixture, PairFiles
from tfflow.data.files.images import write_image


@pytest.fixture
def parts(tmp_path):
    """Data sets "a" of three pairs and "b" of two; the first image tells the pair's number."""
    datasets = []
    for name, numbers in (("a", (0, 1, 2)), ("b", (3, 4))):
        pairs = []
        for number in numbers:
            path = tmp_path / f"{number}.png"
            write_image(path, np.full((4, 6, 3), number, np.uint8))
            pairs.append(PairFiles(str(number), path, path))
        datasets.append(FlowDataset(name, pairs))
    return datasets


def test_one_after_the_other(parts):
    mixture = Mixture(parts)
    assert [sample.name for sample in mixture] == ["0", "1", "2", "3", "4"]
    assert len(mixture) == 5 and mixture.name == "a+b" and mixture.ratios is None
    assert mixture[-1].name == "4" and mixture[-5].image1.max() == 0
    with pytest.raises(IndexError):
        mixture[5]
    with pytest.raises(IndexError):
        mixture[-6]


def test_ratios_are_for_pipelines(parts):
    mixture = Mixture(iter(parts), iter((2, 1)))
    assert mixture.ratios == (2, 1) and mixture.datasets == tuple(parts)
    assert len(mixture) == 5 and mixture[3].name == "3"
    assert repr(mixture) == "<Mixture a+b: 5 samples in ratios (2, 1)>"


@pytest.mark.parametrize(
    "part", [slice(1, 4), slice(0, 5, 2), slice(1, None, 3), slice(3, None), slice(-3, -1)]
)
def test_slices(parts, part):
    expected = ["0", "1", "2", "3", "4"][part]
    assert [sample.name for sample in Mixture(parts, (1, 1))[part]] == expected


def test_errors(parts):
    with pytest.raises(ValueError, match="one data set or more"):
        Mixture([])
    with pytest.raises(ValueError, match=r"not empty, <FlowDataset a: 0 pairs> is"):
        Mixture([parts[0][:0]])
    with pytest.raises(ValueError, match=r"each of the 2 data sets, got 3: \(2, 1, 1\)"):
        Mixture(parts, (2, 1, 1))
    for ratios in ((0.5, 0.5), (1, 0), (1, -1), (True, 1), ("1", "2")):
        with pytest.raises(ValueError, match="whole numbers from 1 on"):
            Mixture(parts, ratios)
    with pytest.raises(ValueError, match="goes forwards"):
        Mixture(parts)[::-1]


def test_readable(parts, tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "3.png").unlink()

    class Generated(list):  # a data set that is not in files has none to look at
        name = "c"

    generated = Generated([parts[0][0]])
    steps = []
    mixture, complaints = Mixture([*parts, generated], (2, 1, 1)).readable(
        lambda done, total: steps.append((done, total))
    )
    assert [sample.name for sample in mixture] == ["0", "2", "4", "0"]
    assert mixture.ratios == (2, 1, 1)
    assert steps == [(done, 5) for done in range(1, 6)]
    assert len(complaints) == 2
    assert "1.png is empty" in complaints[0] and "3.png" in complaints[1]
    (tmp_path / "4.png").unlink()
    with pytest.raises(ValueError, match=r"<FlowDataset b: 0 pairs> is"):
        Mixture(parts).readable()


def test_ratios_inside_a_mixture_are_not_lost_silently(parts):
    inner = Mixture(parts, (1, 3))
    for ratios in (None, (1, 1)):
        with pytest.raises(
            ValueError, match=r"a\+b has ratios \(1, 3\).*Mix all data sets at once"
        ):
            Mixture([inner, parts[0]], ratios)
    assert len(Mixture([Mixture(parts), parts[0]], (1, 1))) == 8


def test_lists_of_samples_are_mixed():
    image = np.zeros((4, 5, 3), np.uint8)
    sample = FlowSample(image, image, np.zeros((4, 5, 2), np.float32), None, "one")
    mixture = Mixture([[sample], [sample, sample]], (1, 2))
    assert len(mixture) == 3 and mixture[2] is sample and mixture.name == "samples+samples"
