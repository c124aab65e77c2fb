"""What Keras promises for a model holds for the networks: fit in all its forms, names, files."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_network import RNG, Small, images, truth_of

import tfflow
from tfflow.losses import LightFlowL1, MaskFlowNetLoss, MultiLevelEPE
from tfflow.metrics import EndPointError, FlOutliers
from tfflow.models.parts import dtype_policy


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return Small()


# Any size -------------------------------------------------------------------------------------


def test_a_call_takes_any_size_as_predict_flow_does(model):
    x = images(size=(50, 70))
    outputs = model(x)
    expected = model.predict_flow(x["image1"], x["image2"])
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(outputs["flow"], expected, atol=1e-4)
    np.testing.assert_allclose(model.predict(x, verbose=0)["flow"], expected, atol=1e-4)
    assert outputs["flow2"].shape == (2, 16, 32, 2)  # of 64x128, which the network runs at


@pytest.mark.parametrize(
    "loss", [LightFlowL1(), pytest.param(MaskFlowNetLoss(), marks=pytest.mark.slow), "mse"]
)
@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_fit_and_evaluate_take_any_size(loss, known):
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("maskflownets") if isinstance(loss, MaskFlowNetLoss) else Small()
    x = images(size=(50, 70))
    predicted = model.predict_flow(x["image1"], x["image2"])
    truth = predicted + np.float32([3.0, 4.0])
    truth[:, :7] = np.nan
    valid = np.isfinite(truth[..., 0])
    model.compile(keras.optimizers.SGD(0.0), loss=loss, metrics=[EndPointError()])
    data = (x, truth, valid.astype(np.float32))
    if known:
        result = model.evaluate(*data[:2], sample_weight=data[2], verbose=0, return_dict=True)
    else:
        spec = tf.TensorSpec((None, None, None, 3))
        signature = (
            {"image1": spec, "image2": spec},
            tf.TensorSpec((None, None, None, 2)),
            tf.TensorSpec((None, None, None)),
        )
        data = tf.data.Dataset.from_generator(
            lambda batch=data: [batch], output_signature=signature
        )
        result = model.evaluate(data, verbose=0, return_dict=True)
        history = model.fit(data, validation_data=data, verbose=0).history
        # Batch norm's statistics have moved a little.
        assert np.isfinite(history["loss"][0]) and history["val_epe"][0] == pytest.approx(5.0, 0.05)
    assert result["epe"] == pytest.approx(5.0, rel=1e-3)
    assert np.isfinite(result["loss"])


def test_the_loss_at_another_size_is_that_of_the_resized_truth(model):
    """A constant error in pixels of the images is a constant one in pixels of the network."""
    x = images(size=(32, 64))
    outputs = model(x)
    constant = np.full((2, 32, 64, 2), 5.0, np.float32)
    constant[0, :5] = np.nan
    model.compile("sgd", loss=LightFlowL1())
    found = model.compute_loss(y=constant, y_pred=outputs)
    resized = np.float32([5.0, 10.0]) / 20  # twice as high
    known = np.abs(np.asarray(outputs["flow2"]) - resized)
    known = [known[0, 3:].mean(), known[1].mean()]
    assert float(found) == pytest.approx(np.mean(known), rel=0.02)


@pytest.mark.parametrize("options", [{"loss": LightFlowL1()}, {"loss": "mse"}, {"metrics": "mae"}])
@pytest.mark.parametrize("shape", [(2, 128, 128, 2), (2, 1, 1, 2), (2, 64, 64, 1)])
def test_a_truth_of_another_size_than_the_images_is_refused(model, options, shape):
    model.compile("sgd", **options)
    with pytest.raises(ValueError, match="true flow must be"):
        model.evaluate(images(), np.zeros(shape, np.float32), verbose=0)


def test_a_truth_of_another_size_than_a_further_output_is_refused(model):
    model.compile("sgd", loss={"flow2": "mae"})
    with pytest.raises(ValueError, match=r"truth of flow2 .* 16, 16, 2\); got .* 1, 16, 2\)"):
        model.evaluate(images(), {"flow2": np.zeros((2, 1, 16, 2), np.float32)}, verbose=0)


# Losses, targets, weights ---------------------------------------------------------------------


def test_losses_and_metrics_by_the_names_of_outputs(model):
    x = images()
    outputs = model(x)
    y = {"flow": outputs["flow"] + 3.0, "flow2": outputs["flow2"] + 2.0}
    model.compile(
        "sgd",
        loss={"flow": "mse", "flow2": "mae"},
        loss_weights={"flow": 1.0, "flow2": 10.0},
        metrics={"flow": [EndPointError()]},
    )
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(9.0 + 20.0, rel=1e-4)
    assert result["flow_loss"] == pytest.approx(9.0, rel=1e-4)
    assert result["epe"] == pytest.approx(3 * 2**0.5, rel=1e-4)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])
    y = {"flow2": model(x)["flow2"] + 2.0}
    model.compile("sgd", loss={"flow2": "mae"})
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert result == {"loss": pytest.approx(2.0, rel=1e-4)}


@pytest.mark.parametrize("loss", [{"flow": "mae"}, "mae", ["mae"], LightFlowL1()])
@pytest.mark.parametrize("target", [dict, np.asarray])
def test_one_flow_as_an_array_or_in_a_dictionary(model, loss, target):
    x = images()
    truth = truth_of(model, x)
    y, weight = truth, np.ones(truth.shape[:3], np.float32)
    if target is dict:
        y, weight = {"flow": truth}, {"flow": weight}
    model.compile("sgd", loss=loss, metrics=[EndPointError()])
    for options in ({}, {"sample_weight": weight}):
        result = model.evaluate(x, y, verbose=0, return_dict=True, **options)
        assert result["epe"] == pytest.approx(3 * 2**0.5, rel=1e-4)
        wanted = 3.0
        if isinstance(loss, LightFlowL1):
            wanted = float(loss(truth, model(x)))
        assert result["loss"] == pytest.approx(wanted, rel=1e-4)


def test_what_losses_can_not_be_is_said(model):
    with pytest.raises(ValueError, match="without the name of one"):
        model.compile("sgd", loss={"flow": LightFlowL1()})
    with pytest.raises(ValueError, match="loss must be one loss or a dictionary"):
        model.compile("sgd", loss=["mse", "mse"])
    with pytest.raises(ValueError, match="loss_weights"):
        model.compile("sgd", loss=LightFlowL1(), loss_weights=[1.0])
    model.compile("sgd", loss={"flow9": "mse"})
    x = images()
    with pytest.raises(ValueError, match="lack flow9"):
        model.compute_loss(y={"flow9": model(x)["flow"]}, y_pred=model(x))


@pytest.mark.parametrize("loss", [LightFlowL1(), MultiLevelEPE({"level2": 1.0}), "mae"])
def test_weights_of_pairs(model, loss):
    x = images()
    truth = truth_of(model, x)
    truth[1] += 5.0
    model.compile("sgd", loss=loss, metrics=[EndPointError()])

    def evaluate(**weight):
        return model.evaluate(x, truth, verbose=0, return_dict=True, **weight)

    one, other, both = (
        evaluate(sample_weight=np.float32(w)) for w in ([1.0, 0.0], [0.0, 1.0], [1.0, 3.0])
    )
    assert other["loss"] > 1.5 * one["loss"]
    assert both["loss"] == pytest.approx(one["loss"] + 3 * other["loss"], rel=1e-4)
    assert both["epe"] == pytest.approx((one["epe"] + 3 * other["epe"]) / 4, rel=1e-4)


@pytest.mark.parametrize(
    ("way", "loss"),
    [
        *(("fit", LightFlowL1()), ("train_on_batch", "mae"), ("dataset", LightFlowL1())),
        *(("evaluate", "mae"), ("test_on_batch", LightFlowL1())),
    ],
)
def test_weights_of_pairs_and_of_pixels_one_after_the_other(model, way, loss):
    x = images()
    truth = truth_of(model, x)
    truth[1] += 50.0
    model.compile(keras.optimizers.SGD(0.0), loss=loss, metrics=[EndPointError()])

    def epe(weight):
        if way == "fit":
            return model.fit(x, truth, sample_weight=weight, verbose=0).history["epe"][0]
        if way == "dataset":
            data = tf.data.Dataset.from_tensors((x, truth, weight))
            return model.evaluate(data, verbose=0, return_dict=True)["epe"]
        options = {"verbose": 0} if way == "evaluate" else {}
        call = getattr(model, way)
        return call(x, truth, sample_weight=weight, return_dict=True, **options)["epe"]

    of_pixels = np.ones((2, 64, 64), np.float32)
    of_pixels[1] = 0.0
    of_pairs = of_pixels[:, 0, 0]
    first, *others = map(epe, (of_pairs, of_pixels, of_pixels[..., None], of_pairs))
    assert others == pytest.approx([first] * 3) and epe(None) > 1.2 * first


def test_weights_of_another_shape_are_refused():
    flow = np.zeros((2, 64, 64, 2), np.float32)
    for judge in (lambda *a: LightFlowL1()(*a), lambda *a: EndPointError().update_state(*a)):
        with pytest.raises(ValueError, match=r"got \(2, 64\)"):
            judge(flow, flow, np.ones((2, 64), np.float32))


@pytest.mark.parametrize("loss", [LightFlowL1(), MultiLevelEPE({"level2": 1.0}), "mse"])
def test_truth_that_is_not_finite_does_not_count(model, loss):
    x = images()
    truth = truth_of(model, x)
    truth[0, :32] = np.nan
    truth[1, :32] = np.inf
    model.compile(keras.optimizers.SGD(1e-4), loss=loss, metrics=[EndPointError(), FlOutliers()])
    history = model.fit(x, truth, verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert all(np.isfinite(w).all() for w in model.get_weights())
    truth = np.where(np.isfinite(truth), truth_of(model, x), truth)
    result = model.evaluate(x, truth, verbose=0, return_dict=True)
    assert result["epe"] == pytest.approx(3 * 2**0.5, rel=1e-4)


@pytest.mark.parametrize("callback", ["EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau"])
def test_callbacks_know_that_less_is_better(model, callback, tmp_path):
    x = images()
    truth = truth_of(model, x)
    model.compile("sgd", loss="mse", metrics=[EndPointError(), FlOutliers()])
    options = {}
    if callback == "ModelCheckpoint":
        options = {"filepath": tmp_path / "best.keras", "save_best_only": True}
    watchers = [
        getattr(keras.callbacks, callback)(monitor=name, **options) for name in ("val_epe", "fl")
    ]
    model.fit(x, truth, validation_data=(x, truth), callbacks=watchers, verbose=0)
    assert all(watcher.monitor_op == keras.ops.less for watcher in watchers)


# Calls, names, checkpoints -----------------------------------------------------------------


def test_two_arguments_are_pointed_to_predict_flow(model):
    x = images()
    with pytest.raises(TypeError, match=r"predict_flow\(image1, image2\)"):
        model(x["image1"], x["image2"])
    assert set(model(x, training=True)) == {"flow", "flow2", "flow3"}


def test_images_of_uint8_and_of_no_range(model):
    x = {name: np.rint(255 * each) for name, each in images().items()}
    exact = {name: each.astype(np.uint8) for name, each in x.items()}
    expected = model({name: each / 255 for name, each in x.items()})["flow"]
    for flow in (model(exact)["flow"], model.predict(exact, verbose=0)["flow"]):
        np.testing.assert_allclose(flow, expected, atol=1e-5)
    model.compile("sgd", loss="mse")
    tensors = {name: tf.constant(each) for name, each in x.items()}
    ways = (model.predict, model.evaluate, model.fit)
    on_batch = (model.predict_on_batch, model.test_on_batch, model.train_on_batch)
    with pytest.raises(ValueError, match="Divide by 255"):
        model(inputs=x)
    for use in (model, *ways, *on_batch):
        for given in (x, tensors):
            with pytest.raises(ValueError, match="image1 is float32 and must lie.*Divide by 255"):
                use(given)
    with pytest.raises(ValueError, match="uint8 in 0..255; got int32"):
        model({name: each.astype(np.int32) for name, each in x.items()})


def test_two_sizes_are_refused_where_the_graph_knows_none(model):
    one, other = images(size=(50, 70))["image1"], images(size=(60, 70))["image1"]
    for size in ((64, 64), (50, 70)):
        model.predict_on_batch(images(size=size))  # after two sizes, TensorFlow takes any
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be equal"):
        model.predict_on_batch({"image1": one, "image2": other})
    spec = {"image1": (None, None, None, 3), "image2": (2, 50, 70, 3)}
    spec = {name: tf.TensorSpec(shape) for name, shape in spec.items()}
    any_size = tf.function(lambda x: model(x)["flow"], input_signature=[spec])
    x = images(size=(50, 70))
    np.testing.assert_allclose(any_size(x), model(x)["flow"], atol=1e-5)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_truth_in_whole_numbers(model, dtype):
    model.compile("sgd", loss=MultiLevelEPE({"level2": 1.0}))
    x, truth = images(size=(50, 70)), np.full((2, 50, 70, 2), 3)
    expected = model.test_on_batch(x, truth.astype("float32"))
    assert model.test_on_batch(x, truth.astype(dtype)) == pytest.approx(expected, rel=1e-6)


def test_precision_is_chosen_before_a_network_is_made(model):
    with pytest.raises(ValueError, match=r"set_dtype_policy\('mixed_bfloat16'\)"):
        model.dtype_policy = "mixed_bfloat16"


@pytest.mark.parametrize("size", [64, (64,), (64.5, 64), "64x64"])
def test_a_size_that_is_none(model, size):
    pair = images().values()
    with pytest.raises(ValueError, match=r"size must be \(height, width\), two whole numbers"):
        model.predict_flow(*pair, size=size)
    flow = model.predict_flow(*pair, size=np.array([64, 128]))
    np.testing.assert_array_equal(flow, model.predict_flow(*pair, size=(64, 128)))


def test_a_training_loop_of_ones_own(model):
    x = {name: tf.constant(each) for name, each in images().items()}

    @tf.function
    def gradients():  # of eager tensors, which a graph takes in
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True)["flow"] ** 2)
        return tape.gradient(loss, model.trainable_variables)

    assert all(gradient is not None for gradient in gradients())


def test_the_format_that_keras_can_not_load_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match=r"Name it \*.keras, or save_weights"):
        model.save(tmp_path / "x.h5")
    assert not list(tmp_path.iterdir())


def test_networks_of_one_kind_have_names_of_their_own():
    teacher, student = (
        tfflow.models.create("lightflow_0.5", name=name) for name in ("teacher", "student")
    )
    inputs = {f"image{i}": keras.Input((64, 64, 3), name=f"image{i}") for i in (1, 2)}
    both = keras.Model(inputs, [teacher(inputs)["flow"], student(inputs)["flow"]])
    assert {layer.name for layer in both.layers} >= {"teacher", "student"}


@pytest.mark.parametrize("average", [False, True])
def test_fit_in_a_strategys_scope(average):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = Small()
        model.compile(keras.optimizers.Adam(use_ema=average), loss=LightFlowL1())
    x = images()
    history = model.fit(x, truth_of(model, x), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def test_metrics_without_a_loss_and_a_loss_without_a_truth(model):
    x = images()
    truth = truth_of(model, x)
    model.compile(metrics=[EndPointError()])
    result = model.evaluate(x, truth, verbose=0, return_dict=True)
    assert result["epe"] == pytest.approx(3 * 2**0.5, rel=1e-4)
    for loss in ("mse", MultiLevelEPE({"level2": 1.0})):
        model.compile("sgd", loss=loss)
        with pytest.raises(ValueError, match="small needs the true flow"):
            model.fit(x, verbose=0)


def test_quantize_says_what_to_do(model):
    with pytest.raises(NotImplementedError, match=r"tfflow\.tflite\.export"):
        model.quantize("int8")


def test_tensorflow_saves_a_model_by_itself(model, tmp_path):
    x = images(size=(70, 100))
    tf.saved_model.save(model, str(tmp_path / "saved"))
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    found = served(inputs=tf.constant(x["image1"]), inputs_1=tf.constant(x["image2"]))["flow"]
    np.testing.assert_allclose(found, model(x)["flow"], atol=1e-4)


def test_a_checkpoint_of_tensorflow_has_all_weights(model, tmp_path):
    for weight in model.weights:
        weight.assign(RNG.normal(size=weight.shape))
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
    other = Small()
    tf.train.Checkpoint(model=other).restore(path).assert_existing_objects_matched()
    for mine, theirs in zip(other.weights, model.weights):
        np.testing.assert_array_equal(mine, theirs, err_msg=mine.path)


def test_compiling_anew_without_a_loss_has_none():
    model, inputs = Small(), images()
    truth = truth_of(model, inputs)
    model.compile("adam", LightFlowL1(), metrics=[EndPointError()])
    model.compile("adam", None, metrics=[EndPointError()])
    assert model.loss is None
    assert model.evaluate(inputs, truth, return_dict=True, verbose=0)["loss"] == 0


def test_a_flow_has_no_classes():
    model, inputs = Small(), images()
    truth = truth_of(model, inputs)
    model.compile("sgd", LightFlowL1())
    for call in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="A flow has no classes.*sample_weight"):
            call(inputs, truth, class_weight={0: 1.0})


def test_names_that_no_output_has_are_refused():
    """``{"flow": …, "valid": …}`` is a sample's form; Keras's is (images, flow, valid)."""
    model, inputs = Small(), images()
    truth, valid = truth_of(model, inputs), np.ones((2, 64, 64), np.float32)
    for loss in (LightFlowL1(), "mse", None):
        model.compile("sgd", loss)
        with pytest.raises(ValueError, match=r"target has valid, .*fit\(images, flow, valid\)"):
            model.test_on_batch(inputs, {"flow": truth, "valid": valid})
        with pytest.raises(ValueError, match="sample_weight has weights, which is no output"):
            model.test_on_batch(inputs, {"flow": truth}, {"flow": valid, "weights": valid})
    model.compile("sgd", LightFlowL1())
    as_array = model.test_on_batch(inputs, truth, valid)
    assert model.test_on_batch(inputs, {"flow": truth}, {"flow": valid}) == as_array


# Networks of users' own -----------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class WithArguments(tfflow.models.FlowModel):
    """What the page about own networks shows, with arguments and without ``get_config``."""

    def __init__(self, gain=1.0, channels=(4,), initializer=None, name="mine", **kwargs):
        super().__init__(name=name, **kwargs)
        self.gain, self.channels = gain, channels
        make = keras.layers.Conv2D
        self.convolutions = [make(c, 3, 2, "same") for c in channels]
        self.head = make(2, 3, padding="same", kernel_initializer=initializer)

    def estimate(self, image1, image2, training=None):
        x = keras.ops.concatenate([image1, image2], axis=-1)
        for layer in self.convolutions:
            x = layer(x)
        return {"flow2": self.gain * self.head(x)}


@keras.saving.register_keras_serializable("tests")
class WithOneMore(tfflow.models.RillFlow):
    def __init__(self, limit=5.0, name="mine", **kwargs):
        super().__init__(name=name, **kwargs)
        self.limit = limit


def test_arguments_of_a_network_of_ones_own_are_kept(tmp_path):
    model = WithArguments(3.0, channels=(8, 6))
    x = images()
    expected = model.predict_flow(x["image1"], x["image2"])
    model.save(tmp_path / "mine.keras")
    for other in (tfflow.load(tmp_path / "mine.keras"), copy.deepcopy(model)):
        assert other.gain == 3.0 and list(other.channels) == [8, 6]
        np.testing.assert_array_equal(other.predict_flow(x["image1"], x["image2"]), expected)
    assert keras.models.clone_model(model).gain == 3.0
    with dtype_policy("mixed_bfloat16"):
        assert WithArguments(gain=3.0).in_float32().gain == 3.0
    other = WithOneMore.from_config(WithOneMore(limit=7.0, width=0.5).get_config())
    assert (other.limit, other.width) == (7.0, 0.5)


def test_arguments_that_keras_cannot_note_are_told():
    model = WithArguments(initializer=keras.initializers.Zeros())
    with pytest.raises(NotImplementedError, match="its argument initializer is <.*Zeros"):
        model.get_config()


def test_a_layer_that_is_given_is_tracked_where_the_network_keeps_it():
    class Given(tfflow.models.FlowModel):
        def __init__(self, head):
            super().__init__(name="given")
            self.first = keras.layers.Conv2D(4, 3, 4, "same", name="first")
            self.head = head
            self.build()

        def estimate(self, image1, image2, training=None):
            return {"flow2": self.head(self.first(image1 - image2))}

    model = Given(keras.layers.Conv2D(2, 3, padding="same", name="head"))
    assert [layer.name for layer in model.layers] == ["first", "head"]
    with pytest.raises(NotImplementedError, match="its argument head is <Conv2D"):
        model.get_config()


def test_a_network_without_build_can_be_compiled_at_once():
    model, x = WithArguments(), images()
    model.compile("adam", "mse")
    history = model.fit(x, np.ones((2, 64, 64, 2), np.float32), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def test_weights_of_another_width_change_nothing(tmp_path):
    wide, narrow = WithArguments(channels=(6,)), WithArguments(channels=(4,))
    for model in (wide, narrow):
        model.build()
    wide.save_weights(tmp_path / "wide.weights.h5")
    before = narrow.get_weights()
    with pytest.raises(ValueError, match=r"wide.weights.h5 do not fit mine \(294 parameters\)"):
        narrow.load_weights(tmp_path / "wide.weights.h5")
    for mine, expected in zip(narrow.get_weights(), before):
        np.testing.assert_array_equal(mine, expected)
