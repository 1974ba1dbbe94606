# SPDX-License-Identifier: MIT
"""PyTorch's training steps: eager, compiled, and whole steps captured in a CUDA graph by hand."""

import os
import platform

import common

VARIANTS = ["torch eager", "torch graph", "torch graph, 8 steps", "torch compiled"]


def load(options):
    global torch, nn, device, on_gpu
    import torch
    from torch import nn

    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    versions = {"Python": platform.python_version(), "torch": torch.__version__}
    if on_gpu:
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no GPU")
        versions |= {"torch's CUDA": torch.version.cuda, "GPU": torch.cuda.get_device_name(device)}
        torch.cuda.set_device(device)
    if options.compiler:  # each row's process is forked from what is imported here
        import torch._inductor.compile_fx
    return common.Peer(
        {
            "torch eager": Eager,
            "torch graph": lambda row: Graph(row, 1),
            "torch graph, 8 steps": lambda row: Graph(row, 8),
            "torch compiled": Compiled,
        },
        versions,
        set_threads,
        torch.cuda.empty_cache if on_gpu else lambda: None,
        late=["torch compiled"],
    )


def set_threads(n):
    torch.set_num_threads(n)
    torch.set_num_interop_threads(n)


class Training(common.Training):
    """The net, its optimizer, its data on the device, and one step."""

    def __init__(self, row, capturable=False):
        modules = []
        for weight, bias in common.layers(row):
            dense = nn.Linear(weight.shape[1], weight.shape[0], device="meta").to_empty(device=device)
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(weight))
                dense.bias.copy_(torch.from_numpy(bias))
            modules += [dense, nn.ReLU()]
        self.model = nn.Sequential(*modules[:-1])
        self.x, self.t = (torch.from_numpy(a).to(device) for a in common.read_batches(row))
        self.criterion = {
            "mse": nn.functional.mse_loss,
            "softmax_cross_entropy": nn.functional.cross_entropy,
            "binary_cross_entropy_from_logits": nn.functional.binary_cross_entropy_with_logits,
        }[row["loss"]]
        if row["loss"] == "softmax_cross_entropy":
            self.t = self.t.long()  # the type that PyTorch asks of labels
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=row["learning_rate"],
            betas=common.BETAS,
            eps=common.EPSILON,
            fused=True,
            capturable=capturable,
        )
        # 'highest' is float32 throughout, 'high' is TF32 on a GPU
        torch.set_float32_matmul_precision("high" if row["precision"] == "tf32" else "highest")
        self.bf16 = row["precision"] == "bf16"
        self.at, self.count = 0, row["batches"]

    def wait(self):
        if on_gpu:
            torch.cuda.synchronize(device)

    def loss(self, x, t):
        if not self.bf16:
            return self.criterion(self.model(x), t)
        # a cache of casts is of no use where a weight is used once a step, and a mistake in a graph
        with torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False):
            return self.criterion(self.model(x), t)

    def step(self, x, t):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, t)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def next(self, n):
        """The number of the first of the next n batches; n divides their number."""
        k = self.at % self.count
        self.at = k + n
        return k


class Eager(Training):
    def __call__(self):
        k = self.next(1)
        return self.step(self.x[k], self.t[k])


class Compiled(Training):
    """Forward, loss and backward compiled, in CUDA graphs where torch.compile can; fused Adam."""

    def __init__(self, row):
        super().__init__(row)
        torch.compiler.reset()
        self.loss = torch.compile(self.loss, **({"mode": "reduce-overhead"} if on_gpu else {}))

    def __call__(self):
        if on_gpu:
            torch.compiler.cudagraph_mark_step_begin()  # the last step's results may be overwritten
        k = self.next(1)
        return self.step(self.x[k], self.t[k]).clone()


class Graph(Training):
    """`steps` whole steps in one graph, which reads their batches from where they are copied to."""

    def __init__(self, row, steps):
        if not on_gpu:
            raise RuntimeError("CUDA graphs need a GPU")
        super().__init__(row, capturable=True)
        self.steps = min(steps, row["compared_batches"])
        first = [p.detach().clone() for p in self.model.parameters()]
        self.inputs, self.targets = self.x[: self.steps].clone(), self.t[: self.steps].clone()
        self.results = torch.zeros(self.steps, device=device)
        side = torch.cuda.Stream(device)  # libraries set themselves up outside of the graph
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(3):
                self.all_steps()
        torch.cuda.current_stream(device).wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)  # gradients, too, live in the graph's memory
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.all_steps()
        self.begin_again(first)

    def all_steps(self):
        for k in range(self.steps):
            self.results[k].copy_(self.step(self.inputs[k], self.targets[k]))

    def begin_again(self, first):
        with torch.no_grad():
            for p, value in zip(self.model.parameters(), first):
                p.copy_(value)
                for state in self.optimizer.state[p].values():
                    state.zero_()

    def __call__(self):
        k = self.next(self.steps)
        self.inputs.copy_(self.x[k : k + self.steps])
        self.targets.copy_(self.t[k : k + self.steps])
        self.graph.replay()
        return self.results


common.run(VARIANTS, load)
