import dataclasses
import itertools
import os

import numpy as np
import pytest

from tfflow.data.files.images import write_image
from tfflow.data.scenes import SceneConfig, make_pool
from tfflow.data.scenes.pool import POOL_FIELDS, cached_pool
from tfflow.data.scenes.shapes import FAR, SHAPES, make_shape
from tfflow.data.scenes.textures import MATERIALS

SMALL = SceneConfig(textures=6, texture_size=96, shapes=10, shape_size=64)


def test_pool_depends_on_seed_and_number_alone():
    first, again = make_pool(SMALL, 1, 2), make_pool(SMALL, 1, 2, threads=3)
    for one, other in zip(first, again):
        np.testing.assert_array_equal(one, other)
    for seed, number in ((1, 3), (2, 2)):
        other = make_pool(SMALL, seed, number)
        assert (first.textures != other.textures).mean() > 0.5
        assert (first.shapes != other.shapes).mean() > 0.05


def test_noise_has_unit_variance():
    noise = make_pool(SMALL, 0, 0).noise
    assert abs(noise.std() - 1) < 1e-3 and abs(noise.mean()) < 0.01


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.__name__)
def test_materials_are_fields_from_0_to_1(material):
    spreads = []
    for seed in range(4):
        field = material(np.random.default_rng(seed), 96)
        assert field.shape == (96, 96) and np.isfinite(field).all()
        assert field.min() >= -1e-6 and field.max() <= 1 + 1e-6
        spreads.append(field.std())
    assert max(spreads) > 0.02


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_shapes_have_area_and_a_border(shape):
    areas = []
    for seed in range(6):
        mask = np.zeros((192, 192), np.uint8)
        shape(np.random.default_rng(seed), mask)
        areas.append((mask > 0).mean())
    assert 0.01 < np.mean(areas) < 0.8


def test_distances_are_distances():
    for seed in range(12):
        distance, _ = make_shape(np.random.default_rng(seed), 96)
        assert distance.dtype == np.float32 and np.abs(distance).max() <= FAR
        assert distance.max() > 0.5 > 0 > distance.min()
        # One pixel further, at most one more (the diagonal of the 5x5 distance mask errs a little).
        assert np.abs(np.diff(distance, axis=0)).max() < 1.2
        assert np.abs(np.diff(distance, axis=1)).max() < 1.2


def test_textures_have_the_spectrum_of_photographs():
    """Amplitude falls about as 1 / f; averaged, as single pictures differ."""
    config = SceneConfig(textures=16, texture_size=256, shapes=1)
    pictures = make_pool(config, 0, 0).textures[8:].mean(-1)
    window = np.hanning(256)[:, None] * np.hanning(256)
    centred = pictures - pictures.mean((1, 2), keepdims=True)
    spectrum = np.abs(np.fft.fft2(centred * window)).mean(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    bands = np.geomspace(0.02, 0.4, 8)
    level = [
        np.log(spectrum[(frequency >= a) & (frequency < b)].mean())
        for a, b in itertools.pairwise(bands)
    ]
    slope = np.polyfit(np.log(np.sqrt(bands[1:] * bands[:-1])), level, 1)[0]
    assert -1.7 < slope < -0.8


def test_fine_surfaces_have_detail_but_no_large_patches():
    config = SceneConfig(textures=12, texture_size=192, shapes=1)
    usual, fine = (
        make_pool(dataclasses.replace(config, fine_surfaces=share), 0, 0).textures
        for share in (0.0, 1.0)
    )

    def detail_and_patches(textures):
        grey = textures.mean(-1)
        patches = grey.reshape(12, 6, 32, 6, 32).mean((2, 4))
        detail = np.diff(grey, axis=1)
        return np.sqrt(np.square(detail).mean((1, 2))), patches.std((1, 2))

    (detail, patches), (fine_detail, fine_patches) = map(detail_and_patches, (usual, fine))
    assert np.all(fine_patches < patches) and np.median(fine_patches / patches) < 0.4
    assert np.median(fine_detail / fine_patches) > 2 * np.median(detail / patches)
    assert np.all(fine_detail > 1)
    np.testing.assert_allclose(fine.mean((1, 2)), usual.mean((1, 2)), atol=6)
    half = make_pool(dataclasses.replace(config, fine_surfaces=0.5), 0, 0).textures
    assert 2 < sum(np.array_equal(a, b) for a, b in zip(half, usual)) < 10


def test_scenes_of_another_size_share_the_pool():
    pool = cached_pool(SMALL, 5, 0)
    larger = dataclasses.replace(SMALL, height=2 * SMALL.height, motion_scale=3.0)
    assert cached_pool(larger, 5, 0) is pool
    probabilities = {"fine_surfaces": 0.5, "photograph_share": 0.1}
    for name in POOL_FIELDS:
        if name == "photographs":
            continue
        more = probabilities.get(name, 2)
        other = dataclasses.replace(SMALL, **{name: getattr(SMALL, name) + more})
        assert cached_pool(other, 5, 0) is not pool, name


def test_surfaces_are_cut_from_photographs(tmp_path):
    """Every surface is a part of a picture, in RGB, or of the small one and its mirror image."""
    large = np.zeros((150, 200, 3), np.uint8)
    large[..., 0], large[..., 1] = np.arange(200), 255  # red grows to the right, all of it green
    small = np.zeros((50, 60, 3), np.uint8)
    small[..., 2] = np.arange(50)[:, None]  # blue alone
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "deeper").symlink_to(tmp_path / "elsewhere")
    tmp_path = tmp_path / "photographs"
    write_image(tmp_path / "deeper" / os.fsdecode(b"Stra\xdfe.png"), large)
    write_image(tmp_path / "small.jpg.PNG", small)
    write_image(tmp_path / "too_small.png", small[:40])
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    (tmp_path / "deeper" / "above").symlink_to(tmp_path)  # and round again
    for other in (".hidden", "@eaDir", "scenes"):
        (tmp_path / other).mkdir()
        write_image(tmp_path / other / "red.png", np.full((99, 99, 3), [255, 0, 9], np.uint8))
    (tmp_path / "scenes" / "scenes.json").touch()
    config = dataclasses.replace(
        SMALL, textures=24, shapes=1, photographs=tmp_path, photograph_share=1.0
    )
    textures = make_pool(config, 0, 0).textures
    green = textures[..., 1].mean((1, 2)) > 128
    assert 4 < green.sum() < 20
    for texture in textures[green].astype(int):
        assert (texture[..., 1] == 255).all() and not texture[..., 2].any()
        assert (np.diff(texture[..., 0], axis=1) >= 1).all()  # never enlarged
        assert (np.diff(texture[..., 0], axis=0) == 0).all()
    for texture in textures[~green].astype(int):
        assert not texture[..., :2].any()
        rows = texture[:, 0, 2]
        np.testing.assert_array_equal(rows[:50], np.arange(50))
        np.testing.assert_array_equal(rows[50:], np.arange(48, 2, -1))
    drawn = make_pool(dataclasses.replace(config, photographs=""), 0, 0).textures
    mixed = make_pool(dataclasses.replace(config, photograph_share=0.5), 0, 0).textures
    as_drawn = [np.array_equal(a, b) for a, b in zip(mixed, drawn)]
    as_cut = [np.array_equal(a, b) for a, b in zip(mixed, textures)]
    assert 4 < sum(as_drawn) < 20 and sum(as_drawn) + sum(as_cut) == 24


def test_photographs_that_are_not_there(tmp_path):
    config = dataclasses.replace(SMALL, photographs=tmp_path)
    assert SceneConfig(**config.to_dict()) == config
    with pytest.raises(FileNotFoundError, match="no images in .*SceneConfig.photographs"):
        make_pool(config, 0, 0)
    write_image(tmp_path / "a.png", np.zeros((47, 200, 3), np.uint8))
    with pytest.raises(ValueError, match="none of the 1 images .* at least 48 pixels"):
        make_pool(config, 0, 0)
    with pytest.raises(TypeError, match="photographs must be a path, got 3"):
        SceneConfig(photographs=3)
