# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 Linear layers
#
# **What you will do.** Write the linear layer, flattening and the gradients of both; find a famous mistake, the layer
# with 196608 inputs, by its symptoms, and mend it; count weights; and watch weights change in TensorBoard.
#
# **What you will learn.** What `nn.Linear` computes, and why its weight is stored the other way round than one might
# think; which dimensions may be merged into one and which never; why a bias doesn't make anything non-linear; and what
# a convolution saves.
#
# **What you need.** How to multiply matrices. Chapter 01 helps. About 100 minutes, and every section stands on its own:
# stop where you like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. Stuck? `hint("linear")` gives three hints, one at a time.

# %%
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tutor import board, check, data, explorers, hint, plots

# %% [markdown]
# ## What a linear layer does
#
# One neuron weighs its inputs, adds them up, and adds a bias. A **linear layer** is several neurons that look at the
# same inputs. Every input is connected to every output, so that it is also called *fully connected* (or *dense*). With
# $d$ inputs and $L$ neurons:
#
# $$ y_o = \sum_{i=1}^{d} W_{oi}\, x_i + b_o \qquad\text{for } o = 1 \dots L $$
#
# **On paper.** Two inputs, two outputs, no bias: $x = (1, 2)$ and
# $W = \begin{pmatrix} 1 & 10 \\ 100 & 1000 \end{pmatrix}$. Each *row* of $W$ belongs to one output. What are the two
# outputs?
#
# For a batch, the samples are the rows of a matrix $X$ of shape $(N, d)$, and the whole layer is one product:
#
# $$ Y = X\, W^{\mathsf T} + b $$
#
# The transpose is there because the weight is kept as (out, in): one row for each neuron. (A square weight fits either
# way round. The result is then wrong without any error: do you see what $(1, 2)$ would become?)

# %%
x = torch.tensor([[1.0, 2.0]])
W = torch.tensor([[1.0, 10.0], [100.0, 1000.0]])
print("x @ W.T:", (x @ W.T).tolist(), " as torch has it:", F.linear(x, W).tolist())
print("x @ W:  ", (x @ W).tolist())
plots.matrix(W, rows="output", columns="input")

# %% [markdown]
# The class makes weight and bias itself. All its arguments:
#
# | argument | default | meaning |
# |---|---|---|
# | `in_features` | | inputs: the size of the last dimension of what comes in |
# | `out_features` | | outputs, which is the number of neurons |
# | `bias` | True | whether a number is added to each output |
# | `device`, `dtype` | None | where the weights are kept, and in which number type |
#
# The layer works on the last dimension. All dimensions before it only count samples and come out as they went in.

# %%
torch.manual_seed(0)
layer = nn.Linear(in_features=10, out_features=2)
for shape in ((10,), (1, 10), (5, 10), (5, 7, 10)):
    print(f"input {shape!s:11} output {tuple(layer(torch.randn(shape)).shape)}")
print("weight", tuple(layer.weight.shape), "bias", tuple(layer.bias.shape))
print("without a bias:", nn.Linear(10, 2, bias=False).bias)
double = nn.Linear(10, 2, device="cpu", dtype=torch.float64)
print("device and dtype:", double.weight.device, double.weight.dtype)
limit = 10**-0.5
print("all weights to begin with lie within 1 / sqrt(inputs):", bool((layer.weight.abs() <= limit).all()))

# %% [markdown]
# In a network of your own, the layer is usually made in `__init__` and used in `forward`:

# %%
class Classifier(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.fc(x)


model = Classifier(inputs=10, classes=2)
print(model)
print("five samples:", tuple(model(torch.randn(5, 10)).shape))

# %% [markdown]
# **Your turn.** Write it with matrix products, sums and the like. `bias` may be None, and `input` may have any number
# of dimensions.


# %% nbgrader={"grade": false, "grade_id": "linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear(input, weight, bias=None):
    """Return what a linear layer makes of its input.

    input: a tensor of shape (..., in). weight: a tensor of shape (out, in).
    bias: a tensor of shape (out,), or None. Returns a tensor of shape (..., out).
    """
    ### BEGIN SOLUTION
    output = input @ weight.T
    return output if bias is None else output + bias
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_linear", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(linear, points=5)
### BEGIN HIDDEN TESTS
check(linear, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Flattening
#
# An image has three dimensions: channels, height and width. A linear layer looks at one, the last. So the image is
# **flattened** first: its numbers are written one after another, the first channel row by row, then the second. No
# number changes, and none moves in memory.

# %%
image = torch.arange(1.0, 13.0).view(2, 2, 3)
print("(C, H, W) =", tuple(image.shape), "becomes", tuple(image.flatten().shape))
plots.overlaps({"channel 0": image[0], "channel 1": image[1], "flattened": image.flatten()})

# %% [markdown]
# Batches are where it goes wrong. Their first dimension counts images and must stay. There are several ways to write
# it; look at which dimension each of them begins with:
#
# | | begins at | ends with |
# |---|---|---|
# | `torch.flatten(x)` | `start_dim=0`: **the batch goes, too** | `end_dim=-1`, the last, included |
# | `torch.flatten(x, start_dim=1)` | 1: the batch stays | the last |
# | `nn.Flatten()` | `start_dim=1` by default: the batch stays | `end_dim=-1` |
# | `x.reshape(len(x), -1)` | the batch stays; `-1` is computed from what is left | |
# | `x.reshape(len(x), 1, 1, -1)` | the same numbers, with two dimensions of size 1 that nobody needs | |

# %%
batch = torch.rand(64, 3, 32, 32)
for way, flat in {
    "torch.flatten(batch)": torch.flatten(batch),
    "torch.flatten(batch, start_dim=1)": torch.flatten(batch, start_dim=1),
    "torch.flatten(batch, 2, 3)": torch.flatten(batch, 2, 3),
    "torch.flatten(batch, end_dim=1)": torch.flatten(batch, end_dim=1),
    "nn.Flatten()(batch)": nn.Flatten()(batch),
    "batch.reshape(64, -1)": batch.reshape(64, -1),
    "batch.reshape(64, 1, 1, -1)": batch.reshape(64, 1, 1, -1),
}.items():
    print(f"{way:34} {tuple(flat.shape)}")

# %% [markdown]
# `view` does the same as `reshape` as long as the numbers lie in order in memory. After `permute` they don't: `view`
# then refuses, and `reshape` copies.

# %%
photo = torch.rand(4, 5, 3)  # (H, W, C), as picture files have it
channels_first = photo.permute(2, 0, 1)
try:
    channels_first.view(-1)
except RuntimeError as error:
    print("view:", str(error).split(" (")[0])
print("reshape:", tuple(channels_first.reshape(-1).shape))

# %% [markdown]
# **Your turn.** Write `flatten`, with `reshape` and arithmetic on shapes. Dimensions below 0 count from the end. A
# single number (a tensor without dimensions) becomes a vector of one.


# %% nbgrader={"grade": false, "grade_id": "flatten", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flatten(input, start_dim=0, end_dim=-1):
    """Merge the dimensions from start_dim to end_dim, both included, into one.

    input: a tensor of any shape. Returns a tensor with the same numbers in the same order.
    """
    ### BEGIN SOLUTION
    if input.dim() == 0:
        return input.reshape(1)
    start, end = start_dim % input.dim(), end_dim % input.dim()
    return input.reshape(*input.shape[:start], -1, *input.shape[end + 1 :])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_flatten", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(flatten, points=4)
### BEGIN HIDDEN TESTS
check(flatten, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Gradients by hand
#
# Training asks how the loss changes with each number: of the weight and the bias, to improve them, and of the input, to
# hand on to the layer before. Say $G = \partial\,\text{loss} / \partial Y$ is known, of shape $(N, \text{out})$.
#
# **On paper.** One sample, one input, one output: $y = w x + b$. If $w$ grows by a little, $y$ grows by $x$ times that;
# if $x$ does, by $w$ times that; if $b$ does, by just as much. So the three gradients are $G x$, $G w$ and $G$. In
# general, each number collects from *every* output that it took part in:
#
# $$ \frac{\partial\,\text{loss}}{\partial X} = G\, W \qquad
#    \frac{\partial\,\text{loss}}{\partial W} = G^{\mathsf T} X \qquad
#    \frac{\partial\,\text{loss}}{\partial b_o} = \sum_{n=1}^{N} G_{no} $$
#
# The shapes tell where a transpose belongs: a gradient always has the shape of what it is the gradient of. And the
# weights and biases are *shared* by all samples of the batch. That is why a sum over the samples stands in the second
# (inside the product) and in the third.

# %%
X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
W = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 5.0]], requires_grad=True)
b = torch.zeros(3, requires_grad=True)
G = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
F.linear(X, W, b).backward(G)
for name, tensor in {"input": X, "weight": W, "bias": b}.items():
    print(f"gradient of the {name:6} {tuple(tensor.grad.shape)!s:7} {tensor.grad.tolist()}")

# %% [markdown]
# **Your turn.** Write the three gradients by hand, without autograd.


# %% nbgrader={"grade": false, "grade_id": "linear_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear_backward(grad_output, input, weight, bias):
    """Return the gradients of a linear layer, (grad_input, grad_weight, grad_bias).

    grad_output: a tensor of shape (N, out), the gradient of the layer's output.
    input: (N, in). weight: (out, in). bias: (out,). Each gradient has the shape of its tensor.
    """
    ### BEGIN SOLUTION
    return grad_output @ weight, grad_output.T @ input, grad_output.sum(dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_linear_backward", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(linear_backward, points=5)
### BEGIN HIDDEN TESTS
check(linear_backward, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Your turn.** And flattening? Each number of the output *is* a number of the input.


# %% nbgrader={"grade": false, "grade_id": "flatten_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flatten_backward(grad_output, input, start_dim=0, end_dim=-1):
    """Return the gradient of flatten for its input, in a tuple of one.

    grad_output: the gradient of the flattened tensor. input: what was flattened.
    """
    ### BEGIN SOLUTION
    return (grad_output.reshape(input.shape),)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_flatten_backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(flatten_backward, points=2)
### BEGIN HIDDEN TESTS
check(flatten_backward, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Layers in a row
#
# One often reads that the bias makes a linear layer non-linear, or that several layers in a row learn more complicated
# things than one. Neither is so. Strictly speaking, a layer with a bias is *affine*: a linear map and a shift. A shift
# bends nothing. What a straight map does to the middle of two points is the middle of what it does to them:

# %%
torch.manual_seed(0)
first, second = torch.randn(2, 4, dtype=torch.float64)
one = nn.Linear(4, 3, dtype=torch.float64)
three = nn.Sequential(one, nn.Linear(3, 3, dtype=torch.float64), nn.Linear(3, 2, dtype=torch.float64))
bent = nn.Sequential(one, nn.ReLU(), nn.Linear(3, 2, dtype=torch.float64))
for name, f in {"one layer with a bias": one, "three in a row": three, "with a ReLU between": bent}.items():
    with torch.no_grad():
        middle, mean = f((first + second) / 2), (f(first) + f(second)) / 2
    print(f"{name:22} goes straight: {torch.allclose(middle, mean)}")

# %% [markdown]
# **Your turn.** Write the row of layers; you may use your `linear`. Any number of them, nothing in between.


# %% nbgrader={"grade": false, "grade_id": "affine_stack", "locked": false, "schema_version": 3, "solution": true, "task": false}
def affine_stack(input, weights, biases):
    """Return what several linear layers in a row make of the input.

    input: a tensor of shape (N, in). weights, biases: a tensor of shape (out, in) and one of
    shape (out,) for each layer, the first layer's first. Returns a tensor of shape (N, last out).
    """
    ### BEGIN SOLUTION
    hidden = input
    for weight, bias in zip(weights, biases, strict=True):
        hidden = linear(hidden, weight, bias)
    return hidden
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_affine_stack", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(affine_stack, points=3)
### BEGIN HIDDEN TESTS
check(affine_stack, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Because matrix products are associative, the row is one layer in disguise. Without biases, for example:
#
# $$ ((X W_1^{\mathsf T})\, W_2^{\mathsf T})\, W_3^{\mathsf T} = X\, (W_3 W_2 W_1)^{\mathsf T} $$
#
# `collapse_linear` in chapter 01 finds that one layer, with biases. How much the disguise costs:

# %%
with torch.no_grad():
    weight = three[2].weight @ three[1].weight @ three[0].weight
    bias = three(torch.zeros(4, dtype=torch.float64))  # what an input of zeros becomes is the one bias
    samples = torch.randn(100, 4, dtype=torch.float64)
    print("the same outputs:", torch.allclose(three(samples), F.linear(samples, weight, bias)))
print("numbers in three layers:", sum(p.numel() for p in three.parameters()))
print("numbers in that one:    ", weight.numel() + bias.numel())

# %% [markdown]
# ## The 196608 mistake
#
# This is what a widely read tutorial does with a batch of CIFAR-10. It loads batches of 64 with `drop_last=True`,
# flattens them with `torch.flatten(imgs)`, and then has a layer `Linear(196608, 10)`:

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(64))
torch.manual_seed(0)
published = nn.Linear(196608, 10)

flat = torch.flatten(images)
output = published(flat)
print("images:   ", tuple(images.shape))
print("flattened:", tuple(flat.shape), "which is", " x ".join(map(str, images.shape)))
print("output:   ", tuple(output.shape))

# %% [markdown]
# It runs, and something is very wrong. The **symptoms**:
#
# - Sixty-four images went in, and ten numbers came out. One row for each image was wanted: $(64, 10)$. No loss can
#   compare ten numbers with 64 labels.
# - Each of these numbers depends on all 64 images at once, and an image's result on who its neighbours are.
# - Every place in the batch has weights of its own. What the layer learns about cats in the first place, it doesn't know
#   in the second.
# - A batch of any other size doesn't fit. That's what `drop_last=True` covered up.

# %%
*_, (last_images, last_labels) = pictures.batches(64)
print("the last batch:", tuple(last_images.shape))
try:
    published(torch.flatten(last_images))
except RuntimeError as error:
    print("RuntimeError:", str(error)[str(error).index("mat1") :])
for inputs in (196608, 3072):
    print(f"Linear({inputs}, 10) has {sum(p.numel() for p in nn.Linear(inputs, 10).parameters()):,} parameters")

# %% [markdown]
# **Try it.** `start_dim` is where flattening begins: with 0, the whole batch becomes one row. Move the sliders and watch the
# shapes; tick *predict first* to say what shape the weight has before you see it.

# %%
explorers.linear()

# %% [markdown]
# Shapes give this mistake away. Its relatives have the right shape and are harder to see: `reshape(3072, 64).T` also
# gives $(64, 3072)$, but its rows are made of pieces of several images. A test that finds them all: **change one image,
# and see which rows of the output change.** In a layer that treats each image by itself, only that image's row may.
#
# Autograd can ask the same question: which outputs have a gradient for which image? Here for six images and three ways
# to get from $(6, 3, 32, 32)$ to $(6, 3072)$. Rows are images, columns are rows of the output, and a 1 says that the one
# depends on the other:

# %%
six = images[:6].double()
weight = torch.randn(10, 3072, dtype=torch.float64)
tables = {}
for name, flattened in {
    "start_dim=1": lambda batch: batch.flatten(start_dim=1),
    "reshape(3072, 6).T": lambda batch: batch.reshape(3072, 6).T,
    "permute, reshape": lambda batch: batch.permute(1, 0, 2, 3).reshape(6, 3072),
}.items():
    slopes = torch.autograd.functional.jacobian(lambda batch, way=flattened: way(batch) @ weight.T, six)
    slopes = slopes.flatten(start_dim=3)  # (row of the output, output, image, pixel)
    depends = (slopes != 0).any(dim=3).any(dim=1).T
    tables[name] = depends.double()
    print(f"{name:20} {int(depends.sum())} of {depends.numel()} pairs")
plots.overlaps(tables)

# %% [markdown]
# **Your turn.** Write the test by experiment. It has to work for any function on batches, also for one with fewer rows
# than images, such as the published one.


# %% nbgrader={"grade": false, "grade_id": "mixed_rows", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mixed_rows(layer, images):
    """Return which rows of a layer's output change when one image does.

    layer: a function on batches of images. images: a tensor of shape (N, C, H, W).
    Returns a tensor of True and False with N rows and as many columns as layer(images) is
    long: in row i and column j, whether adding 1 to all pixels of image i, and to no other
    image, changes anything in layer(images)[j].
    """
    ### BEGIN SOLUTION
    before = layer(images)
    table = []
    for index in range(len(images)):
        changed = images.clone()
        changed[index] += 1
        different = layer(changed) != before
        table.append(different.reshape(len(before), -1).any(dim=1))
    return torch.stack(table)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mixed_rows", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(mixed_rows, points=4)
### BEGIN HIDDEN TESTS
check(mixed_rows, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# (In a real network some layers do mix on purpose: in training, batch normalisation uses the mean over the batch.
# That is why such layers behave differently in `eval` mode.)

# %% [markdown]
# ## The last batch
#
# A data set is seldom a multiple of the batch size. What is left over makes a last, smaller batch; `drop_last=True`
# leaves it out. PyTorch's `DataLoader` and this course's `batches` both do it that way:

# %%
images, labels = next(pictures.batches(len(pictures)))
for drop_last in (False, True):
    loader = DataLoader(TensorDataset(images, labels), batch_size=64, drop_last=drop_last)
    sizes = [len(batch) for batch, _ in loader]
    ours = [len(batch) for batch, _ in pictures.batches(64, drop_last=drop_last)]
    print(f"drop_last={drop_last!s:5} {len(sizes)} batches, the last one has {sizes[-1]} images; ours the same: {sizes == ours}")

# %% [markdown]
# In *training*, dropping it does little harm when the order is shuffled, since other images are left out each time. It
# spares a noisy step on few images, and batch normalisation fails on a single one. In *evaluation*, never: images would
# silently be missing from the accuracy. And where code needs `drop_last=True` so as not to crash, the code is wrong.
#
# **Your turn.** Count. If nothing is left, there are no batches, and the last one has size 0.


# %% nbgrader={"grade": false, "grade_id": "count_batches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_batches(samples, batch_size, drop_last=False):
    """Return the number of batches and the size of the last one.

    samples, batch_size: whole numbers, 1 or more. Returns a pair of whole numbers.
    """
    ### BEGIN SOLUTION
    full, rest = divmod(samples, batch_size)
    if drop_last or rest == 0:
        return full, batch_size if full > 0 else 0
    return full + 1, rest
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_count_batches", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(count_batches, points=3)
### BEGIN HIDDEN TESTS
check(count_batches, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## How many weights
#
# Take images of 3 channels, 32 by 32, to 6 channels of the same size. A convolution with a $3 \times 3$ kernel and
# padding 1 keeps 27 weights and a bias for each output channel. A linear layer between the same shapes has a weight for
# *every* pair of an input number and an output number:

# %%
def count(layer):
    return sum(p.numel() for p in layer.parameters())


into, out = 3 * 32 * 32, 6 * 32 * 32
convolution = nn.Conv2d(3, 6, kernel_size=3, padding=1, device="meta")  # "meta": shapes only, and no memory
fully_connected = nn.Linear(into, out, device="meta")
print(f"convolution:  {count(convolution):>12,}")
print(f"linear layer: {count(fully_connected):>12,} = {into} x {out} + {out}")
print(f"as float32:   {4 * count(fully_connected) / 1e6:>12.0f} MB")

# %% [markdown]
# A convolution *is* such a linear layer, under two restrictions: a pixel of the output sees only its neighbourhood (all
# other weights are 0), and the same kernel works everywhere (the weights are shared). Chapter 03 shows the matrix. The
# restrictions fit pictures, where things stay the same when they move. That is why a CNN convolves first, makes the
# image small, and keeps linear layers for the end, where few numbers are left.
#
# **Your turn.** Count both for any sizes, with biases.


# %% nbgrader={"grade": false, "grade_id": "parameter_counts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def parameter_counts(in_channels, height, width, out_channels, kernel_size):
    """Return how many parameters a convolution has, and a linear layer between the same shapes.

    Both lead from (in_channels, height, width) to (out_channels, height, width): the
    convolution with a square kernel of side kernel_size, and padding that keeps the size.
    Returns a pair of whole numbers, biases included.
    """
    ### BEGIN SOLUTION
    convolution = in_channels * out_channels * kernel_size**2 + out_channels
    outputs = out_channels * height * width
    return convolution, in_channels * height * width * outputs + outputs
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_parameter_counts", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(parameter_counts, points=3)
### BEGIN HIDDEN TESTS
check(parameter_counts, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# A linear layer pays for its freedom in another way, too: it doesn't know which numbers are neighbours. Shuffle all
# pixels, every image in the same way, and it learns just as well as before, for you could shuffle its weights to match.
# The shuffling is a linear layer itself: a weight with a single 1 in each row. Before and after, in TensorBoard:

# %%
torch.manual_seed(0)
order = torch.randperm(3 * 32 * 32)
shuffle = nn.Linear(3 * 32 * 32, 3 * 32 * 32, bias=False)
with torch.no_grad():
    shuffle.weight.copy_(torch.eye(3 * 32 * 32)[order])
shuffled = nn.Sequential(nn.Flatten(), shuffle, nn.Unflatten(1, (3, 32, 32)))

folder = board.run("05_linear")
test_batches = list(pictures.batches(64, limit=4))
board.log_layer("shuffled", shuffled, test_batches, folder=folder)
for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:16} steps {min(steps)} to {max(steps)}, each a picture of shape {tuple(steps[0].shape)}")
images = test_batches[0][0]
with torch.no_grad():
    after = shuffled(images[:6])
plots.before_after(images[:6], after, titles=("before", "shuffled"))

# %% [markdown]
# ## Weights in TensorBoard
#
# Now let a linear layer learn: 3072 inputs, ten classes, nothing else. (The loss is chapter 06's; here, look at the
# weights.) A weight is thousands of numbers. A **histogram** shows how they spread, and one for each step shows how that
# changes: `writer.add_histogram(tag, values, step)`. All weights begin at 0 here, which is fine for a single layer. With
# several, all neurons of a layer would stay alike.

# %%
train_pictures = data.cifar10()
classifier = nn.Linear(3 * 32 * 32, 10)
nn.init.zeros_(classifier.weight)
nn.init.zeros_(classifier.bias)
optimizer = torch.optim.SGD(classifier.parameters(), lr=0.01)

kept = {}
with board.writer(folder) as writer:
    for step, (images, labels) in enumerate(train_pictures.batches(100, shuffle=True, limit=41)):
        loss = F.cross_entropy(classifier(images.flatten(start_dim=1) - 0.5), labels)
        writer.add_scalar("loss", loss.item(), step)
        if step % 10 == 0:
            writer.add_histogram("classifier/weight", classifier.weight, step)
            writer.add_histogram("classifier/bias", classifier.bias, step)
            kept[f"step {step}"] = classifier.weight.detach().clone()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

logged = board.read(folder)
for tag, steps in logged.histograms.items():
    print(f"{tag:18} steps {list(steps)}, {steps[0].number} numbers each")
losses = logged.scalars["loss"]
print(f"loss at step 0: {losses[0]:.1f}; lower at the end: {losses[40] < losses[0]}")

# %%
board.show(folder, tab="histograms")

# %% [markdown]
# Look at the tab *Distributions*, too, and for the shuffled pictures at *Images*. The histograms without TensorBoard:

# %%
steps = ("step 0", "step 20", "step 40")
spread = [kept[step].std() for step in steps]
print("the weights spread out:", bool(spread[0] < spread[1] < spread[2]))
plots.histograms({step: kept[step] for step in steps})

# %% [markdown]
# Each row of the weight has 3072 numbers, as many as an image: so it *is* an image, the one that its class answers to
# most. Grey is 0.

# %%
templates = classifier.weight.detach().view(10, 3, 32, 32)
largest = templates.abs().flatten(start_dim=1).max(dim=1).values.view(10, 1, 1, 1)
print("from the weight", tuple(classifier.weight.shape), "to images", tuple(templates.shape))
plots.images((templates / largest + 1) / 2, columns=5, titles=train_pictures.classes)

# %% [markdown]
# **Your turn.** Log weights and biases yourself, with PyTorch's `SummaryWriter`: one step for each snapshot.


# %% nbgrader={"grade": false, "grade_id": "log_weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_weights(folder, name, snapshots):
    """Log a layer's weights and biases as histograms.

    folder: where the event file goes.
    name: for instance "fc1"; the tags are then "fc1/weight" and "fc1/bias".
    snapshots: pairs (weight, bias) of tensors, taken at different times of a training.
    The first snapshot is step 0, the second step 1, and so on. Returns nothing.
    """
    from torch.utils.tensorboard import SummaryWriter

    ### BEGIN SOLUTION
    with SummaryWriter(folder) as writer:
        for step, (weight, bias) in enumerate(snapshots):
            writer.add_histogram(f"{name}/weight", weight, step)
            writer.add_histogram(f"{name}/bias", bias, step)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_log_weights", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(log_weights, points=4)
### BEGIN HIDDEN TESTS
check(log_weights, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# What to look for: histograms that never change (no gradient arrives), that become ever wider (the steps are too large),
# or that are one spike at 0 (the layer has switched itself off).

# %% [markdown]
# ## Find the bug in published code
#
# Back to the tutorial of *The 196608 mistake*. Its network, for images of any size, comes down to these lines:
#
# ```python
# flat = torch.flatten(images)              # all images of the batch in one vector
# output = flat @ weight.T + bias           # Linear(196608, 10)
# ```
#
# **Your turn.** Mend it with the smallest change. The weight is now one for a single image: for CIFAR-10, of shape
# (10, 3072).


# %% nbgrader={"grade": false, "grade_id": "mend_flatten", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_flatten(images, weight, bias):
    """Return the outputs of a linear layer for each image of a batch.

    images: a tensor of shape (N, C, H, W). weight: a tensor of shape (out, C * H * W).
    bias: a tensor of shape (out,). Returns a tensor of shape (N, out).
    """
    ### BEGIN SOLUTION
    flat = torch.flatten(images, start_dim=1)
    return flat @ weight.T + bias
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_flatten", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(mend_flatten, points=2)
### BEGIN HIDDEN TESTS
check(mend_flatten, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# A friend's network runs without errors on the training set, with batches of 32 and `drop_last=True`. On a single photo
# it fails with *mat1 and mat2 shapes cannot be multiplied*, and the friend plans to fill the batch with 31 copies of the
# photo. What has probably gone wrong in the network, and how would you make sure? Why are the copies no remedy? And what
# would `drop_last=True` have cost in the evaluation, even with a network that works?

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_flatten", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Probably the whole batch is flattened into one vector, `torch.flatten(x)` in place of `start_dim=1`, so that the linear
# layer's inputs are 32 images at once. The shape of the output shows it, (10,) in place of (32, 10), and so does changing
# one image: outputs change that belong to others. Copies make the numbers fit, but each place in the batch has weights of
# its own that were trained on other images, and all 32 are mixed into the same outputs, so that the result is still not
# one for this photo. In the evaluation, up to 31 images would never be counted, so that the accuracy is of another set
# than one says. (One point for the cause, one for a way to make sure, one for why copies don't help, one for the images
# that are missing.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **`torch.flatten` begins at 0, `nn.Flatten` at 1.** The first takes the batch with it.
# - **The weight is (out, in).** `x @ weight` with a square weight is wrong without an error.
# - **The right shape is not enough.** `reshape(features, N).T` tears images apart; `mixed_rows` finds it.
# - **A bias shifts; it doesn't bend.** Only an activation between two layers makes them more than one.
# - **A bias along the batch.** With as many samples as outputs, `bias.view(-1, 1)` fits, and is wrong.
# - **The gradient of the bias is a sum** over the samples, not a mean. Where the loss is a mean, the division has
#   already happened.
# - **`drop_last=True` in an evaluation** leaves images out. As a remedy for a crash, it hides a bug.
# - **The flattened order matters.** Weights that were trained on (C, H, W) are wrong for (H, W, C).
# - **Most parameters of many CNNs sit in the first linear layer.** Make the image small before it.

# %% [markdown]
# ## Summary
#
# | | formula | shape |
# |---|---|---|
# | linear layer | $Y = X W^{\mathsf T} + b$ | (N, in) → (N, out) |
# | gradient of the input | $G W$ | (N, in) |
# | gradient of the weight | $G^{\mathsf T} X$ | (out, in) |
# | gradient of the bias | sum of $G$ over the samples | (out,) |
# | parameters | in * out + out | |
# | flatten, `start_dim=1` | no number changes | (N, C, H, W) → (N, C H W) |
# | gradient of flatten | reshape | (N, C, H, W) |
#
# | | convolution | linear layer |
# |---|---|---|
# | an output sees | a window | every input |
# | weights | shared by all places | one for each pair |
# | image of another size | fits | doesn't fit |
# | knows what is next to what | yes | no |

# %% [markdown]
# ## Where to read on
#
# - Rosenblatt: *The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain*, 1958.
# - Rumelhart, Hinton and Williams: *Learning Representations by Back-Propagating Errors*, 1986.
# - Cybenko: *Approximation by Superpositions of a Sigmoidal Function*, 1989 (what two layers can do with a bend between).
# - LeCun, Bottou, Bengio and Haffner: *Gradient-Based Learning Applied to Document Recognition*, 1998 (linear layers at
#   the end of a CNN).
# - Lin, Chen and Yan: *Network In Network*, 2014 (a CNN without them: an average over each map instead).
