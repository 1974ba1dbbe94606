# SPDX-License-Identifier: MIT
"""scikit-learn's training steps: MLPClassifier.partial_fit, an epoch of batches a call, which is quicker than
a call a batch."""

import platform
import warnings

import common

VARIANTS = ["scikit-learn"]


def load(options):
    global MLPClassifier, AdamOptimizer, threadpoolctl
    if options.device != "cpu":
        raise RuntimeError("written for the CPU")
    import sklearn
    import threadpoolctl
    from sklearn.neural_network import MLPClassifier
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    blas = [
        f"{p['internal_api']} {p['version']} {p.get('architecture', '')}".strip()
        for p in threadpoolctl.threadpool_info()
    ]
    versions = {
        "Python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "NumPy": common.numpy.__version__,
        "scikit-learn's and NumPy's threads": ", ".join(blas),
    }
    return common.Peer({"scikit-learn": PartialFit}, versions, lambda n: threadpoolctl.threadpool_limits(n))


class PartialFit:
    def __init__(self, row):
        warnings.simplefilter("ignore")
        (b1, b2), rate = common.BETAS, row["learning_rate"]
        self.net = MLPClassifier(
            row["widths"][1:-1],
            alpha=0,
            batch_size=row["batch"],
            learning_rate_init=rate,
            shuffle=False,
            beta_1=b1,
            beta_2=b2,
            epsilon=common.EPSILON,
            n_iter_no_change=1 << 60,
        )
        x, t = common.read_batches(row)
        self.x, self.t = x.reshape(-1, x.shape[-1]), t.reshape(-1).astype("int32")
        self.epoch(1, common.numpy.arange(max(2, row["widths"][-1])))  # draws weights: ours take their place
        for (w, b), to_w, to_b in zip(common.layers(row), self.net.coefs_, self.net.intercepts_):
            to_w[:], to_b[:] = w.T, b
        weights = self.net.coefs_ + self.net.intercepts_
        self.net._optimizer = AdamOptimizer(weights, rate, b1, b2, common.EPSILON)

    def epoch(self, batches, classes=None):
        """Its mean loss."""
        n = batches * self.net.batch_size
        self.net.partial_fit(self.x[:n], self.t[:n], classes=classes)
        return self.net.loss_

    def losses(self, row):
        return [self.epoch(row["compared_batches"]) for _ in range(row["compared_epochs"])]

    def train(self, row, laps):
        self.epoch(row["batches"])
        while laps(row["batches"]):
            self.epoch(row["batches"])


common.run(VARIANTS, load)
