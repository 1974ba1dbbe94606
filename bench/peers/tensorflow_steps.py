# SPDX-License-Identifier: MIT
"""TensorFlow's training steps on the CPU: a tf.function, compiled by XLA or not, and Keras' fit."""

import os
import platform

import common

VARIANTS = ["TensorFlow", "TensorFlow XLA", "Keras fit"]


def load(options):
    global tf, keras
    if options.device != "cpu":
        raise RuntimeError("written for the CPU")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf
    import keras

    versions = {"Python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__}
    variants = {
        "TensorFlow": lambda row: Function(row, False),
        "TensorFlow XLA": lambda row: Function(row, True),
        "Keras fit": Fit,
    }
    return common.Peer(variants, versions, set_threads)


def set_threads(n):
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if n > 1 else 'false'}"
    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


def model_of(row):
    model = keras.Sequential([keras.Input((row["widths"][0],))])
    for width in row["widths"][1:-1]:
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(row["widths"][-1]))
    model.set_weights([a for w, b in common.layers(row) for a in (w.T, b)])
    return model


def loss_of(row):
    if row["loss"] == "softmax_cross_entropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.BinaryCrossentropy(from_logits=True)


def adam_of(row):
    """Keras adds epsilon before the bias correction, where it weighs more in the first steps."""
    (b1, b2), e = common.BETAS, common.EPSILON
    return keras.optimizers.Adam(learning_rate=row["learning_rate"], beta_1=b1, beta_2=b2, epsilon=e)


class Function(common.Training):
    """One step in a tf.function, with Keras' layers, loss and Adam."""

    def __init__(self, row, compiled):
        self.model, criterion, adam = model_of(row), loss_of(row), adam_of(row)
        weights = self.model.trainable_variables
        adam.build(weights)
        self.x, self.t = (list(map(tf.constant, a)) for a in common.read_batches(row))
        self.at, self.count = 0, row["batches"]

        @tf.function(jit_compile=compiled)
        def step(x, t):
            with tf.GradientTape() as tape:
                loss = criterion(t, self.model(x, training=True))
            adam.apply(tape.gradient(loss, weights), weights)
            return loss

        self.step = step.get_concrete_function(self.x[0], self.t[0])

    def __call__(self):
        k = self.at % self.count
        self.at = k + 1
        self.last = self.step(self.x[k], self.t[k])
        return self.last

    def losses(self, row):
        self.count = row["compared_batches"]
        epochs = range(row["compared_epochs"])
        return [sum(float(self()) for _ in range(self.count)) / self.count for _ in epochs]

    def wait(self):
        self.last.numpy()


class Fit:
    def __init__(self, row):
        self.row, self.model = row, model_of(row)
        # with XLA it is slower
        self.model.compile(optimizer=adam_of(row), loss=loss_of(row), jit_compile=False)
        self.x, self.t = (a.reshape(-1, *a.shape[2:]) for a in common.read_batches(row))

    def fit(self, batches, epochs, *callbacks):
        self.model.steps_per_execution = batches  # far quicker than the default, 1
        self.model.train_function = None
        n = batches * self.row["batch"]
        options = {"batch_size": self.row["batch"], "shuffle": False, "verbose": 0, "callbacks": callbacks}
        return self.model.fit(self.x[:n], self.t[:n], epochs=epochs, **options).history["loss"]

    def losses(self, row):
        return self.fit(row["compared_batches"], row["compared_epochs"])

    def train(self, row, laps):
        class Ask(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.model.stop_training = not laps(row["batches"])

        self.fit(row["batches"], 1 << 30, Ask())


common.run(VARIANTS, load)
