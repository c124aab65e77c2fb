import numpy as np
import pytest

from tfflow.visualization import (
    compose,
    flow_figure,
    flow_to_arrows,
    flow_to_image,
    pyramid_figure,
)
from tfflow.visualization.colors import usual_motion


def contains(picture, part):
    """Whether `part` stands somewhere in `picture`, pixel by pixel."""
    height, width = part.shape[:2]
    candidates = (picture == part[0, 0]).all(-1)
    candidates = candidates[: len(picture) - height + 1, : picture.shape[1] - width + 1]
    return any(
        np.array_equal(picture[y : y + height, x : x + width], part)
        for y, x in np.argwhere(candidates)
    )


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2, 48, 256, 3)).astype(np.uint8)
    truth = generator.normal(size=(48, 256, 2)).astype(np.float32) * 5
    return *images, truth


def test_arrow_points_where_the_flow_leads():
    image = np.full((96, 96, 3), 128, np.uint8)
    flow = np.zeros((96, 96, 2))
    flow[48, 48] = 30, 0
    blank = flow_to_arrows(image, np.zeros_like(flow), step=96)
    picture = flow_to_arrows(image, flow, step=96)
    ys, xs = np.nonzero((picture != blank).any(-1))
    assert xs.min() >= 45 and 75 <= xs.max() <= 81
    assert abs(ys.mean() - 48) < 1
    red, green, blue = picture[48, 60]
    assert red > 200 and green < 30 and blue < 30, "right is red"
    half = flow_to_arrows(image, flow, step=96, scale=0.5)
    assert 60 <= np.nonzero((half != blank).any(-1))[1].max() <= 66


def test_arrows_leave_out_what_is_not_known():
    image = np.full((48, 48, 3), 0.5)
    flow = np.full((48, 48, 2), np.nan)
    picture = flow_to_arrows(image, flow)
    assert (picture == picture[0, 0]).all()
    hidden = flow_to_arrows(image, np.full((48, 48, 2), 9.0), valid=np.zeros((48, 48)))
    np.testing.assert_array_equal(hidden, picture)


def test_arrows_wrong_arguments():
    with pytest.raises(ValueError, match="the image's size"):
        flow_to_arrows(np.zeros((48, 48, 3)), np.zeros((48, 47, 2)))
    with pytest.raises(ValueError, match="step must be a whole number"):
        flow_to_arrows(np.zeros((48, 48, 3)), np.zeros((48, 48, 2)), step=0)


def test_compose_keeps_every_pixel_of_every_panel():
    generator = np.random.default_rng(0)
    shapes = [(20, 300), (40, 200), (30, 30), (40, 300), (1, 1)]
    panels = [generator.integers(0, 256, (*shape, 3)).astype(np.uint8) for shape in shapes]
    for columns in (None, 1, 2, 3, 9):
        sheet = compose(panels, ["a", "b", "", "d", "e"], columns, heading="two\nlines")
        assert sheet.dtype == np.uint8
        assert all(contains(sheet, panel) for panel in panels)


def test_compose_order_and_titles():
    panels = [np.full((10, 100, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = compose(panels, columns=2)
    ys, xs = zip(*(np.argwhere((sheet == value).all(-1))[0] for value in (10, 20, 30)), strict=True)
    assert ys[0] == ys[1] < ys[2] and xs[0] == xs[2] < xs[1]
    titled = compose(panels, ["one", "two", "three"], columns=2)
    assert titled.shape[0] > sheet.shape[0]
    assert compose(panels, columns=2, heading="a line").shape[0] > sheet.shape[0]
    long_title = compose(panels, ["a title that is much longer than its panel is wide"] * 3)
    assert long_title.shape[1] == compose(panels, ["a"] * 3).shape[1]


def test_compose_accepts_float_pictures():
    sheet = compose([np.full((10, 10, 3), 0.2, np.float32)])
    assert contains(sheet, np.full((10, 10, 3), 51, np.uint8))


def test_compose_wrong_arguments():
    panel = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="at least one picture"):
        compose([])
    with pytest.raises(ValueError, match="expected 2 titles, one per picture, got 1"):
        compose([panel] * 2, ["a"])
    with pytest.raises(ValueError, match="columns must be a whole number"):
        compose([panel], columns=0)
    with pytest.raises(ValueError, match=r"picture \(H, W, 3\), got \(4, 4\)"):
        compose([panel[..., 0]])
    with pytest.raises(TypeError, match="uint8 or of float"):
        compose([panel.astype(np.int32)])


def test_figure_paints_flow_and_truth_on_one_scale(pair):
    image1, image2, truth = pair
    flow = 0.5 * truth[..., ::-1]
    figure = flow_figure(image1, image2, flow, truth, title="a pair", metrics={"EPE": 1.5})
    scale = usual_motion(truth)
    for panel in (image1, image2, flow_to_image(flow, scale), flow_to_image(truth, scale)):
        assert contains(figure, panel)
    assert not contains(figure, flow_to_image(flow))


def test_an_even_motion_is_painted_in_one_colour(pair):
    image1, image2, truth = pair
    truth = np.full_like(truth, (12.0, 0.0))
    flow = truth + np.random.default_rng(0).uniform(-1, 2, truth.shape).astype(np.float32)
    assert usual_motion(flow) == pytest.approx(np.linalg.norm(flow, axis=-1).max())
    flow[:2] = 40.0, 0.0  # one fast thing must not make all else white
    assert usual_motion(flow) < 15
    flow[:2] = 13.5, 0.0
    scale = np.linalg.norm(flow, axis=-1).max()
    figure = flow_figure(image1, image2, flow, truth)
    assert contains(figure, flow_to_image(flow, scale))
    assert contains(figure, flow_to_image(truth, scale))


def test_figure_without_truth(pair):
    image1, image2, flow = pair
    figure = flow_figure(image1, image2 / 255.0, flow)
    for panel in (image1, image2, flow_to_image(flow, usual_motion(flow))):
        assert contains(figure, panel)
    assert contains(flow_figure(image1, image2, flow, max_flow=99.0), flow_to_image(flow, 99.0))


def test_figure_with_unknown_truth(pair):
    image1, image2, truth = pair
    valid = np.random.default_rng(1).random(truth.shape[:2]) < 0.5
    spoiled = np.where(valid[..., None], truth, 1e10)
    expected = flow_figure(image1, image2, truth, truth, valid)
    np.testing.assert_array_equal(flow_figure(image1, image2, truth, spoiled), expected)
    flow_figure(image1, image2, truth, truth, np.zeros_like(valid))  # no truth anywhere
    flow_figure(image1, image2, np.full_like(truth, np.nan), truth)  # a network that diverged


def test_small_pictures_are_enlarged():
    image = np.random.default_rng(0).integers(0, 256, (32, 96, 3)).astype(np.uint8)
    figure = flow_figure(image, image, np.full((32, 96, 2), (12.0, 0.0)))
    large = image.repeat(3, axis=0).repeat(3, axis=1)
    assert contains(figure, large)
    # 12 px are 36 px now, one and a half steps: the arrows are drawn in their true length.
    assert contains(figure, flow_to_arrows(large, np.full((96, 288, 2), (36.0, 0.0))))


def test_large_pictures_are_shown_smaller():
    image = np.random.default_rng(0).integers(0, 256, (40, 4096, 3), np.uint8)
    flow = np.full((40, 4096, 2), (16.0, 0.0), np.float32)
    figure = flow_figure(image, image, flow, max_flow=20)
    assert figure.shape[1] < 2.1 * 2048
    assert contains(figure, image[::2, ::2])
    assert contains(figure, flow_to_image(flow, max_flow=20)[::2, ::2])
    # 16 px are 8 there; four times as long, they fill the arrows' step.
    assert contains(figure, flow_to_arrows(image[::2, ::2], flow[::2, ::2] / 2, scale=4.0))


def test_figure_of_several_sizes(pair):
    image1, image2, flow = pair
    for arguments in (
        (image1, image2[:-1], flow),
        (image1, image2, flow[:, 1:]),
        (image1, image2, flow, flow[1:]),
    ):
        with pytest.raises(ValueError, match="of one size"):
            flow_figure(*arguments)


def test_pyramid_shows_every_level_on_the_truths_scale():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 5, (32, 64, 2))
    levels = {"flow2": truth[::4, ::4], "flow4": truth[::16, ::16]}
    picture = pyramid_figure(levels, truth)
    scale = usual_motion(truth)
    panels = [
        flow_to_image(np.kron(truth[::16, ::16], np.ones((16, 16, 1))), max_flow=scale),
        flow_to_image(np.kron(truth[::4, ::4], np.ones((4, 4, 1))), max_flow=scale),
        flow_to_image(truth, max_flow=scale),
    ]
    expected = compose(panels, ["flow4: 2x4", "flow2: 8x16", "truth"], columns=3)
    np.testing.assert_array_equal(picture, expected)
    with pytest.raises(ValueError, match="at least one level"):
        pyramid_figure({})


def test_one_fast_thing_leaves_the_rest_its_colours(pair):
    image1, image2, _ = pair
    flow = np.full((48, 256, 2), (2.0, 0.0))
    flow[:10, :20] = 80, 0  # 1.6 % of the picture
    assert usual_motion(flow) == 2
    figure = flow_figure(image1, image2, flow)
    assert contains(figure, flow_to_image(flow, 2.0))
    # What is beyond the wheel is darker, and the figure has a line that says so.
    said = flow_figure(image1, image2, flow, metrics={"darker than the wheel": "2 to 80 px"})
    np.testing.assert_array_equal(figure, said)
    assert not np.array_equal(figure, flow_figure(image1, image2, np.minimum(flow, 2)))


def test_the_scale_of_a_picture_that_hardly_moves():
    assert usual_motion(np.full((4, 4, 2), (0.25, 0))) == 0.25
    flow = np.zeros((20, 20, 2))
    flow[0, 0] = 40, 0
    assert usual_motion(flow) == 1  # noise must not look like motion


def test_a_narrow_image_is_not_enlarged_without_end():
    narrow = np.zeros((400, 1, 3), np.uint8)
    figure = flow_figure(narrow, narrow, np.ones((400, 1, 2)))
    assert figure.shape[0] < 10_000
