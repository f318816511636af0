# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Convolution
#
# **What you will do.** Write a convolution in one and in two dimensions, with every argument that PyTorch's has;
# write it once more as a single matrix product; work out its gradients by hand; find edges in pictures; and log
# feature maps to TensorBoard without mixing them up.
#
# **What you will learn.** What stride, padding, dilation and groups do to the result and to its size; how far a
# network sees; why a picture in colour is still convolved in *two* dimensions; and what a trained network looks for.
#
# **What you need.** Chapter 01, or a little PyTorch: tensors, shapes, slices. About 150 minutes, and every section
# stands on its own: stop where you like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. It tells you what is right and what isn't. Stuck? `hint("conv2d")` gives three hints, one at a time.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from tutor import board, check, data, explorers, hint, plots

# %% [markdown]
# ## What a convolution does
#
# A neuron that looks at a whole picture has a weight for each pixel. If the cat in it moves two pixels to the left,
# every weight meets another pixel, and the neuron has to learn the cat all over again. A **convolution** looks
# through a small window instead, and slides it over the picture. At each position it multiplies what it sees by the
# same few weights and adds up. Two ideas are in that: *look at what is close together*, and *look in the same way
# everywhere*.
#
# The weights are called **kernel** or **filter**, the result is a **feature map**. The more a spot resembles the
# kernel, the larger the number there, so that a kernel is a pattern to search for: an edge, a stripe, a colour. In a
# network, nobody draws these patterns. They are learned. Networks made of convolutions (CNNs) read pictures, films
# and medical scans, and sound and text as well.
#
# **On paper.** A window of $2 \times 2$ has four positions on an input of $3 \times 3$:
#
# $$ \begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \\ 7 & 8 & 9 \end{pmatrix}
#    \text{ and }
#    \begin{pmatrix} a & b \\ c & d \end{pmatrix}
#    \text{ give }
#    \begin{pmatrix} 1a + 2b + 4c + 5d & 2a + 3b + 5c + 6d \\ 4a + 5b + 7c + 8d & 5a + 6b + 8c + 9d \end{pmatrix} $$
#
# For $a = 1,\ b = 2,\ c = 3,\ d = 4$ the first of them is $1 + 4 + 12 + 20 = 37$. What are the other three? Write
# them down before you run the next cells.

# %%
nine = torch.arange(1.0, 10.0).view(1, 1, 3, 3)  # one picture, one channel, 3 by 3
kernel = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 2)  # one map out, one channel in, 2 by 2
plots.convolution(nine[0, 0], kernel[0, 0])

# %%
plots.convolution_steps(nine[0, 0], kernel[0, 0])

# %% [markdown]
# **Is that a convolution?** In mathematics, a convolution turns the kernel upside down and back to front before it
# slides. What all networks compute, without the turn, is a *cross-correlation*. Since the kernel is learned, nothing
# is lost: a network that wants the other one learns it turned. But who takes a kernel from a book, or from a library
# for signals, has to know which of the two is meant:

# %%
print("nn.Conv2d, F.conv2d:     ", F.conv2d(nine, kernel).flatten().tolist())
print("with the kernel turned:  ", F.conv2d(nine, kernel.flip(2, 3)).flatten().tolist())

# %% [markdown]
# ## Output size
#
# How many positions has the window? Count them along one side, $n$ cells long, with a kernel of $k$ cells:
#
# 1. The window starts at cell $0$, then at $1$, and so on. Its last cell must lie inside, so that it starts at $n -
#    k$ at the latest. From $0$ to $n - k$ there are $n - k + 1$ starts.
# 2. **Padding** $p$ adds $p$ cells on both sides: put $n + 2p$ in place of $n$.
# 3. **Dilation** $d$ sets the kernel's cells $d$ apart. Between $k$ cells there are $k - 1$ gaps, so that the window
#    spans $d\,(k - 1) + 1$ cells: put that in place of $k$. The last start is now $n + 2p - d\,(k - 1) - 1$.
# 4. **Stride** $s$ takes only every $s$-th start: $0, s, 2s, \dots$ That is the first one, and as many more as whole
#    steps fit up to the last start:
#
# $$ m = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1 $$
#
# $\lfloor\ \rfloor$ means rounding down. Cells that are left over at the end are never looked at. With $p = 0$ and $d
# = s = 1$ it is $n - k + 1$ again.
#
# **On paper.** $n = 4$ and $k = 3$: how many outputs? $n = 28$ and $k = 3$, with padding 1? The same with stride 2?
# And $n = 6$, $k = 3$ with stride 2: which cell does nobody look at?

# %%
for n, options in (
    (4, {"kernel_size": 3}),
    (28, {"kernel_size": 3, "padding": 1}),
    (28, {"kernel_size": 5}),
    (28, {"kernel_size": 3, "padding": 1, "stride": 2}),
    (28, {"kernel_size": 3, "dilation": 2}),
    (6, {"kernel_size": 3, "stride": 2}),
):
    layer = nn.Conv2d(in_channels=1, out_channels=1, **options)
    print(f"{n:2} cells, {options}: {layer(torch.zeros(1, 1, n, n)).shape[2]} outputs")

# %% [markdown]
# **Try it.** Move a slider, and formula and picture follow; *step* moves the window. Tick *predict first*: you say how
# large the output is before you see it, and are told which term you forgot. Which settings are impossible, and why?

# %%
explorers.convolution()


# %% nbgrader={"grade": false, "grade_id": "conv_output_size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    """Return how many outputs a convolution has along one side.

    n: how many cells the input has along that side. All arguments are whole numbers, and so
    is the result. The window always fits in at least once.
    """
    ### BEGIN SOLUTION
    span = dilation * (kernel_size - 1) + 1
    return (n + 2 * padding - span) // stride + 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_output_size", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(conv_output_size, points=3)
### BEGIN HIDDEN TESTS
check(conv_output_size, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Padding
#
# Without padding, each layer makes the picture smaller, and what is near its border counts for less, since fewer
# windows see it. Both in numbers:

# %%
picture = torch.zeros(1, 1, 32, 32)
for _ in range(10):
    picture = F.conv2d(picture, torch.ones(1, 1, 3, 3))
print("after ten layers of 3 by 3, 32 pixels a side have become", picture.shape[2])

for padding in (0, 1):
    pixels = torch.zeros(1, 1, 5, 5, requires_grad=True)
    F.conv2d(pixels, torch.ones(1, 1, 3, 3), padding=padding).sum().backward()
    print(f"with padding={padding}, so many windows see each pixel:", pixels.grad[0, 0].long(), sep="\n")

# %% [markdown]
# What to put around the picture is up to `padding_mode`. Here it is along a line of four numbers, with two more on
# each side. (A kernel of one cell with the weight 1 changes nothing, and so lets us see the padding itself.)

# %%
line = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 1, 4)
for mode in ("zeros", "reflect", "replicate", "circular"):
    layer = nn.Conv2d(1, 1, kernel_size=1, padding=(0, 2), padding_mode=mode, bias=False)
    nn.init.ones_(layer.weight)
    print(f"{mode:9}", layer(line).flatten().int().tolist())

# %% [markdown]
# - `zeros`, the default, is a black frame. It is cheap, and the network can tell from it where the border is.
# - `reflect` mirrors the picture at its outermost pixel, which isn't repeated.
# - `replicate` repeats the outermost pixel.
# - `circular` goes on at the other side, as if the picture were wrapped around a drum.
#
# `padding` is one number for all sides, or a pair: `(height, width)`, above and below, then left and right.
#
# **Your turn.** Write all four modes. Two ways to begin: make a larger tensor with `input.new_zeros(...)` and write
# the picture into its middle; or find out *which row* of the input each row of the result repeats, and take rows,
# then columns, with a tensor of such numbers: `input[:, :, rows]`. (`F.pad` is what you are building, so that it is
# out of bounds here. Later in this chapter it is welcome. Mind its order then: it wants the last dimension first,
# `(left, right, above, below)`.)


# %% nbgrader={"grade": false, "grade_id": "pad2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pad2d(input, padding, mode="zeros"):
    """Put rows and columns around a batch of pictures.

    input: a tensor of shape (N, C, H, W).
    padding: how many on each side; a whole number, or a pair (height, width).
    mode: "zeros", "reflect", "replicate" or "circular"; "reflect" gets less padding than the
    picture has pixels, "circular" at most as much.
    Returns a tensor of shape (N, C, H + 2 * height, W + 2 * width).
    """
    ### BEGIN SOLUTION
    height, width = (padding, padding) if isinstance(padding, int) else padding
    n, c, h, w = input.shape
    if mode == "zeros":
        padded = input.new_zeros(n, c, h + 2 * height, w + 2 * width)
        padded[:, :, height : height + h, width : width + w] = input
        return padded

    def sources(size, before):
        place = torch.arange(-before, size + before)
        if mode == "reflect":
            return size - 1 - (size - 1 - place.abs()).abs()
        if mode == "replicate":
            return place.clamp(0, size - 1)
        return place % size

    return input[:, :, sources(h, height)][:, :, :, sources(w, width)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_pad2d", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(pad2d, points=4)
### BEGIN HIDDEN TESTS
check(pad2d, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **As large as before.** With stride 1, the output is as large as the input if the padding makes up for what the
# window takes: $d\,(k - 1)$ cells in all, before and after together. PyTorch finds that out by itself for
# `padding="same"`; `padding="valid"` is another name for no padding.

# %%
for options in ({"padding": "same"}, {"padding": "same", "dilation": 2}, {"padding": "valid"}):
    layer = nn.Conv2d(1, 1, kernel_size=3, **options)
    print(f"{options}: 28 cells become {layer(torch.zeros(1, 1, 28, 28)).shape[2]}")
try:
    nn.Conv2d(1, 1, kernel_size=3, padding="same", stride=2)
except ValueError as error:
    print(error)

# %% [markdown]
# An even kernel needs an odd number: with $k = 2$ it is one cell. That can't be halved, and PyTorch puts the odd one
# **after**. Below, each output is the right-hand cell of its window; the last one is the edge that was repeated.
# (With zeros, PyTorch warns in such a case that it may have to copy the input.)

# %%
layer = nn.Conv2d(1, 1, kernel_size=(1, 2), padding="same", padding_mode="replicate", bias=False)
with torch.no_grad():
    layer.weight.copy_(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2))
print(line.flatten().int().tolist(), "->", layer(line).flatten().int().tolist())

# %% [markdown]
# **On paper.** How many cells go before, and how many after, for $k = 3$ with $d = 2$? For $k = 4$? For $k = 4$ with
# $d = 2$?


# %% nbgrader={"grade": false, "grade_id": "same_padding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def same_padding(kernel_size, dilation=1):
    """Return (before, after): how many cells padding="same" adds at each end of one side.

    kernel_size, dilation: whole numbers. The odd one, if there is one, goes after.
    """
    ### BEGIN SOLUTION
    total = dilation * (kernel_size - 1)
    before = total // 2
    return before, total - before
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_same_padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(same_padding, points=2)
### BEGIN HIDDEN TESTS
check(same_padding, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## One dimension
#
# Sound, or a temperature over time, is a line of numbers. `F.conv1d` takes it as $(N, C, L)$: signals in the batch,
# channels, length.
#
# **On paper.** The line $1, 2, 3, 4$ and the kernel $1, -1$: the difference of neighbours, three times over. (A
# tutorial that many read passes this line as a tensor with four dimensions. The cell shows what happens.)

# %%
line = torch.tensor([1.0, 2.0, 3.0, 4.0])
difference = torch.tensor([1.0, -1.0]).view(1, 1, 2)
print("(1, 1, 4):   ", F.conv1d(line.view(1, 1, 4), difference).flatten().tolist())
try:
    F.conv1d(line.view(1, 1, 4, 1), difference.view(1, 1, 2, 1))
except RuntimeError as error:
    print("(1, 1, 4, 1):", error)

# %% [markdown]
# A line is the best place to look at the arguments one by one. With the kernel $1, 10$ the digits of each result tell
# which two cells it was made of: $21$ is $1 \cdot 1 + 2 \cdot 10$.

# %%
five = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).view(1, 1, 5)
digits = torch.tensor([1.0, 10.0]).view(1, 1, 2)
for options in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"bias": torch.tensor([1000.0])}):
    print(f"{options!s:28}", F.conv1d(five, digits, **options).flatten().int().tolist())

# %%
plots.convolution_steps(five[0], digits[0], dilation=(1, 2), steps=(0, 1, 2))

# %% [markdown]
# **Channels.** A kernel has a row of weights for *each* input channel, and adds up the products of all of them: not
# the mean, and not one map for each channel. Several kernels give several output channels, so that `weight` has the
# shape (output channels, input channels, cells). The bias is one number for each output channel, added once, after
# the sum.
#
# **Groups** divide the channels into equal parts that have nothing to do with each other: the first output channels
# see the first input channels only, and so on. `weight` then has the shape (output channels, input channels / groups,
# cells). Four channels that hold $1, 10, 100, 1000$ show who sees whom:

# %%
four_channels = torch.tensor([1.0, 10.0, 100.0, 1000.0]).view(1, 4, 1)
for groups, outputs in ((1, 2), (2, 2), (2, 4), (4, 4)):
    ones = torch.ones(outputs, 4 // groups, 1)
    result = F.conv1d(four_channels, ones, groups=groups).flatten().int().tolist()
    print(f"groups={groups}, weight {tuple(ones.shape)}: {result}")

# %% [markdown]
# **Your turn.** You needn't slide the window cell by cell. For one tap of the kernel, all the numbers that it meets
# lie in one slice: `input[:, :, start:end:stride]`. Where does it start, and where does it end? Multiply that slice
# by the tap's weights, for each input channel its own, and add up over taps and channels. `F.pad` and your own
# `conv_output_size` may help. PyTorch's convolutions, and `F.unfold`, are off limits.


# %% nbgrader={"grade": false, "grade_id": "conv1d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel over the signals, as F.conv1d does.

    input: (N, C, L). weight: (outputs, C / groups, k). bias: (outputs,) or None.
    stride, padding, dilation, groups: whole numbers; padding is with zeros.
    Returns a tensor of shape (N, outputs, new length).
    """
    ### BEGIN SOLUTION
    padded = F.pad(input, (padding, padding))
    outputs, channels, taps = weight.shape
    size = (padded.shape[2] - dilation * (taps - 1) - 1) // stride + 1
    results = []
    for o in range(outputs):
        first = o // (outputs // groups) * channels  # where the channels of its group begin
        total = 0
        for t in range(taps):
            start = t * dilation
            seen = padded[:, first : first + channels, start : start + (size - 1) * stride + 1 : stride]
            total = total + (seen * weight[o, :, t].view(1, channels, 1)).sum(dim=1)
        results.append(total)
    result = torch.stack(results, dim=1)
    return result if bias is None else result + bias.view(1, outputs, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv1d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(conv1d, points=5)
### BEGIN HIDDEN TESTS
check(conv1d, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Two dimensions
#
# Now the window moves down as well as across. With everything in one formula, for picture $n$, output channel $o$,
# row $i$ and column $j$:
#
# $$ y_{n,o,i,j} \;=\; b_o + \sum_{c} \sum_{u} \sum_{v} w_{o,c,u,v} \; x_{n,\; c,\; i s + u d,\; j s + v d} $$
#
# where $x$ is the padded input, $c$ runs over the channels (of the group), and $u$ and $v$ over the kernel's rows and
# columns. A picture in colour has three channels, so that each output channel has three small kernels, one for red,
# one for green and one for blue. Their three results and the bias add up to one number:

# %%
torch.manual_seed(0)
x = torch.randn(1, 3, 28, 28)  # one picture in colour, 28 by 28
conv = nn.Conv2d(in_channels=3, out_channels=16, kernel_size=3, stride=1, padding=1)
y = conv(x)
for name, tensor in (("input", x), ("weight", conv.weight), ("bias", conv.bias), ("output", y)):
    print(f"{name:6}", tuple(tensor.shape))

of_each_colour = [F.conv2d(x[:, c : c + 1], conv.weight[:1, c : c + 1], padding=1) for c in range(3)]
print("red + green + blue + bias:", torch.allclose(sum(of_each_colour) + conv.bias[0], y[:, :1], atol=1e-5))

# %% [markdown]
# All arguments of `nn.Conv2d`, on that same picture. `bias=False` leaves the bias out; `dtype` and `device` say in
# which kind of numbers, and where (`"cpu"`, `"cuda"`), the weights are made. The input has to be of the same kind and
# in the same place.

# %%
for options in (
    {"kernel_size": 3},
    {"kernel_size": (3, 5)},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": 3, "stride": (2, 1)},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": (3, 5), "padding": (1, 2)},
    {"kernel_size": 5, "padding": "same"},
    {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 3, "dilation": 2},
    {"kernel_size": 3, "dilation": (1, 3)},
    {"kernel_size": 3, "bias": False},
    {"kernel_size": 3, "dtype": torch.float64, "device": "cpu"},
):
    layer = nn.Conv2d(in_channels=3, out_channels=16, **options)
    output = layer(x.to(layer.weight.dtype))
    parameters = sum(p.numel() for p in layer.parameters())
    said = ", ".join(f"{name}={value}" for name, value in options.items())
    print(f"{said:46} output {output.shape[2]} by {output.shape[3]}, {parameters} parameters")

# %% [markdown]
# | argument | what it says | what is usual |
# |---|---|---|
# | `in_channels` | channels of the input | 3 for pictures in colour, 1 for grey; else what the layer before puts out |
# | `out_channels` | channels of the output, that is, the number of kernels | 16 to 512, more in deeper layers |
# | `kernel_size` | the window, one number or (height, width) | 3, sometimes 1, 5 or 7 |
# | `stride` | how far the window moves each time | 1; 2 halves the size |
# | `padding` | cells added on each side; or `"same"`, `"valid"` | 0; 1 for $3 \times 3$ kernels keeps the size |
# | `dilation` | how far apart the kernel's cells are | 1; more to see further |
# | `groups` | parts that have nothing to do with each other | 1; `in_channels` for a depthwise convolution |
# | `bias` | add a number to each output channel? | `True`; `False` right before a normalisation |
# | `padding_mode` | what to put around | `"zeros"`; or `"reflect"`, `"replicate"`, `"circular"` |
# | `device` | where the weights are made | the default: the processor |
# | `dtype` | of which kind they are | the default: `torch.float32` |
#
# `F.conv2d(input, weight, bias, stride, padding, dilation, groups)` computes the same from weights that you bring
# along. It has no `padding_mode`: other modes mean `F.pad` first.
#
# **Convolution and ReLU** are the unit that CNNs are made of. A convolution weighs and adds up, so that two of them
# in a row, with nothing in between, are just one with a larger kernel (but for the borders). The ReLU is the bend
# that keeps them apart: what resembles the pattern stays, the rest becomes 0.

# %%
unit = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU())
print("shape after both:", tuple(unit(x).shape))
print(f"smallest number after the convolution {unit[0](x).min():.1f}, after the ReLU {unit(x).min():.1f}")

# %% [markdown]
# ## Stride, dilation and groups
#
# **Stride** makes the output smaller, and the layer cheaper: with stride 2, only every second position in every
# second row is computed. Here a window of $2 \times 2$ moves two cells at a time, over an input with padding 1:

# %%
grid = torch.arange(16.0).view(4, 4)
plots.convolution_animation(grid, torch.ones(2, 2), stride=2, padding=1)

# %% [markdown]
# **Dilation** sets the cells of the kernel apart, so that the window covers more of the picture with no more weights.
# Networks that name the class of each pixel (segmentation) use it to see far without shrinking the picture. Mind the
# word: dilation 2 means *every second cell*, with **one** cell left out in between.

# %%
plots.convolution_steps(torch.arange(25.0).view(5, 5), torch.ones(2, 2), dilation=2, steps=(0, 1, 3))

# %% [markdown]
# **Groups** came into use because one card did not have the memory: AlexNet (2012) ran the two halves of its channels
# on two of them. Today one uses them to save weights. In the extreme, `groups=in_channels`, each input channel has
# kernels of its own, and channels never mix: a **depthwise** convolution. The numbers of input and of output channels
# must both divide by `groups`. (AlexNet's halves did not stay apart up to the linear layers, as one can read: its third
# convolution looked at both.)

# %%
for groups, outputs in ((1, 8), (2, 8), (4, 8), (4, 12)):
    layer = nn.Conv2d(in_channels=4, out_channels=outputs, kernel_size=3, groups=groups)
    shape = tuple(layer.weight.shape)
    print(f"4 channels to {outputs:2}, groups={groups}: weight {shape}, {layer.weight.numel()} numbers")
try:
    nn.Conv2d(in_channels=3, out_channels=8, kernel_size=3, groups=2)
except ValueError as error:
    print(error)

# %% [markdown]
# Two groups at work, with dilation as well: output 1 is made from channel 1 alone, with a kernel that has only one
# channel.

# %%
pair = torch.stack([torch.arange(16.0), torch.arange(16.0) % 5]).view(2, 4, 4)
plots.convolution(pair, torch.tensor([1.0, 1, 1, 1, 1, 0, 0, -1]).view(2, 1, 2, 2), dilation=2, groups=2, step=5)

# %% [markdown]
# **Your turn.** The same as in one dimension, with a second loop for the second dimension. `stride`, `padding` and
# `dilation` are now a whole number *or a pair* `(height, width)`.


# %% nbgrader={"grade": false, "grade_id": "conv2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel over the pictures, as F.conv2d does.

    input: (N, C, H, W). weight: (outputs, C / groups, kh, kw). bias: (outputs,) or None.
    stride, padding, dilation: a whole number or a pair (height, width); padding is with
    zeros. groups: a whole number.
    Returns a tensor of shape (N, outputs, new height, new width).
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw), (dh, dw) = (
        (value, value) if isinstance(value, int) else value for value in (stride, padding, dilation)
    )
    padded = F.pad(input, (pw, pw, ph, ph))
    outputs, channels, kh, kw = weight.shape
    high = (padded.shape[2] - dh * (kh - 1) - 1) // sh + 1
    wide = (padded.shape[3] - dw * (kw - 1) - 1) // sw + 1
    results = []
    for g in range(groups):
        part = padded[:, g * channels : (g + 1) * channels]
        kernels = weight[g * outputs // groups : (g + 1) * outputs // groups]
        total = 0
        for u in range(kh):
            for v in range(kw):
                rows = slice(u * dh, u * dh + (high - 1) * sh + 1, sh)
                columns = slice(v * dw, v * dw + (wide - 1) * sw + 1, sw)
                total = total + torch.einsum("nchw,oc->nohw", part[:, :, rows, columns], kernels[:, :, u, v])
        results.append(total)
    result = torch.cat(results, dim=1)
    return result if bias is None else result + bias.view(1, outputs, 1, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv2d", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(conv2d, points=6)
### BEGIN HIDDEN TESTS
check(conv2d, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## As one matrix product
#
# What computers do fastest is to multiply large matrices. So lay what each window sees into a column of its own:
# *image to column*, **im2col**. With the kernel as a row, one product gives all positions at once. Here is the
# example from the beginning; `F.unfold` makes the columns.

# %%
columns = F.unfold(nine, kernel_size=2)
print("one column for each of the four positions:", columns[0].long(), sep="\n")
row = kernel.view(1, 4)
print("row times columns:", (row @ columns[0]).flatten().int().tolist())

# %% [markdown]
# With $C$ input channels, a column holds the window of the first channel, then that of the second, and so on, which
# is how a kernel of shape $(C, k_h, k_w)$ lies in memory, too. With $O$ kernels as the rows of a matrix:
#
# $$ \underbrace{(O,\; C k_h k_w)}_{\text{weight}} \times \underbrace{(N,\; C k_h k_w,\; P)}_{\text{columns}}
#    = \underbrace{(N,\; O,\; P)}_{\text{output}} $$
#
# for $P$ positions. The price is memory: windows overlap, so that most pixels appear in several columns.

# %%
batch = torch.zeros(8, 3, 32, 32)
columns = F.unfold(batch, kernel_size=3, padding=1)
print(f"pictures {tuple(batch.shape)}, columns {tuple(columns.shape)}")
print(f"{columns.numel() // batch.numel()} times the memory")

# %% [markdown]
# **Your turn.** Write the convolution as one matrix product; `F.unfold(input, kernel_size, dilation, padding,
# stride)` may make the columns. At the end, $P$ has to become height and width again. (`view` and `reshape` only cut
# the numbers anew, in the order in which they lie. To change the order of dimensions takes `permute` or `transpose`.)


# %% nbgrader={"grade": false, "grade_id": "conv2d_im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_im2col(input, weight, bias=None, stride=1, padding=0, dilation=1):
    """Convolve by one matrix product, as F.conv2d does with groups=1.

    input: (N, C, H, W). weight: (outputs, C, kh, kw). bias: (outputs,) or None.
    stride, padding, dilation: a whole number or a pair (height, width).
    Returns a tensor of shape (N, outputs, new height, new width).
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw), (dh, dw) = (
        (value, value) if isinstance(value, int) else value for value in (stride, padding, dilation)
    )
    outputs, _, kh, kw = weight.shape
    high = (input.shape[2] + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    wide = (input.shape[3] + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    columns = F.unfold(input, (kh, kw), (dh, dw), (ph, pw), (sh, sw))
    result = (weight.view(outputs, -1) @ columns).view(-1, outputs, high, wide)
    return result if bias is None else result + bias.view(1, outputs, 1, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv2d_im2col", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(conv2d_im2col, points=4)
### BEGIN HIDDEN TESTS
check(conv2d_im2col, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Gradients by hand
#
# As in chapter 01: if the loss grows by `grad_output` for each unit of each output, by how much does it grow for each
# unit of an input, a weight, a bias? Look at the formula of *Two dimensions*, ask in which outputs the number in
# question takes part, and with which factor. Then add up over all of these outputs. With $g$ for `grad_output`, and
# dilation 1:
#
# - **Bias** $b_o$ takes part in every output of channel $o$, with factor $1$:
#   $$ \mathrm{grad\_bias}_o = \sum_{n,i,j} g_{n,o,i,j} $$
# - **Weight** $w_{o,c,u,v}$ takes part in every output of channel $o$ as well, each time with the pixel that it meets
#   there. The sum goes over positions *and pictures*:
#   $$ \mathrm{grad\_weight}_{o,c,u,v} = \sum_{n,i,j} g_{n,o,i,j} \; x_{n,\; c,\; i s + u,\; j s + v} $$
# - **Input** $x_{n,c,a,b}$ takes part wherever a window covers it, and the factor is the weight that lies on it
#   there: $a = i s + u$ and $b = j s + v$. It is easier to go the other way: each output *hands back* its gradient,
#   times the kernel, to the pixels that its window saw. Where windows overlap, the shares add up:
#   $$ \mathrm{grad\_input}_{n,\; c,\; i s + u,\; j s + v} \mathrel{+}= g_{n,o,i,j} \; w_{o,c,u,v}
#      \quad\text{for all } o, i, j, u, v $$
#
# With padding, $x$ is the padded input. Compute its gradient, and cut off the frame at the end. Pixels that no window
# covers keep gradient $0$.
#
# **On paper.** The $3 \times 3$ example again, with `grad_output` $= 1$ for the output at the top left and $0$ for
# the others. Which pixels get something back, and what? What are the gradients of the weights?


# %%
def gradients(grad_output):
    leaves = {"input": nine.clone(), "weight": kernel.clone(), "bias": torch.zeros(1)}
    for leaf in leaves.values():
        leaf.requires_grad_()
    F.conv2d(**leaves).backward(torch.tensor(grad_output).view(1, 1, 2, 2))
    for name, leaf in leaves.items():
        print(f"{name:6}", leaf.grad.int().squeeze().tolist())


gradients([1.0, 0.0, 0.0, 0.0])
print("and with 1 for the output to the right of it as well:")
gradients([1.0, 1.0, 0.0, 0.0])

# %% [markdown]
# One output stamps its kernel onto the input's gradient, *as it is*; in the middle column above, two stamps add up.
# (For stride 1 that is itself a convolution of `grad_output`, with the kernel turned by half a circle. Chapter 03
# makes a layer of it.)
#
# **Your turn.** Write the formulas without autograd and without PyTorch's convolutions. Loops over the kernel's
# cells, with slices for all positions at once, are fast enough. Two things to watch: `[p:-p]` is empty for $p = 0$;
# and a stride may leave over pixels at the end, which still need their zeros.


# %% nbgrader={"grade": false, "grade_id": "conv2d_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    """Return (grad_input, grad_weight, grad_bias) for y = conv2d(input, weight, bias, stride,
    padding).

    grad_output: (N, outputs, new height, new width). input: (N, C, H, W).
    weight: (outputs, C, kh, kw). bias: (outputs,), never None.
    stride, padding: a whole number or a pair (height, width). No dilation, no groups.
    """
    ### BEGIN SOLUTION
    (sh, sw), (ph, pw) = ((value, value) if isinstance(value, int) else value for value in (stride, padding))
    padded = F.pad(input, (pw, pw, ph, ph))
    grad_padded, grad_weight = torch.zeros_like(padded), torch.zeros_like(weight)
    high, wide = grad_output.shape[2:]
    for u in range(weight.shape[2]):
        for v in range(weight.shape[3]):
            rows = slice(u, u + (high - 1) * sh + 1, sh)
            columns = slice(v, v + (wide - 1) * sw + 1, sw)
            seen = padded[:, :, rows, columns]
            grad_weight[:, :, u, v] = torch.einsum("nohw,nchw->oc", grad_output, seen)
            handed_back = torch.einsum("nohw,oc->nchw", grad_output, weight[:, :, u, v])
            grad_padded[:, :, rows, columns] += handed_back
    grad_input = grad_padded[:, :, ph : ph + input.shape[2], pw : pw + input.shape[3]]
    return grad_input, grad_weight, grad_output.sum(dim=(0, 2, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv2d_backward", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(conv2d_backward, points=6)
### BEGIN HIDDEN TESTS
check(conv2d_backward, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Three dimensions, and why RGB is two
#
# A picture in colour is a tensor of three dimensions, and so is a kernel for it. Why is that a *two*-dimensional
# convolution? Because what counts is **in how many directions the kernel slides**. It slides down and across. Along
# the channels it doesn't: it covers all of them at once, and they are summed away.
#
# | | slides along | input | weight | for |
# |---|---|---|---|---|
# | `nn.Conv1d` | 1 direction | `(N, C, L)` | `(O, C, k)` | sound, time series, text |
# | `nn.Conv2d` | 2 directions | `(N, C, H, W)` | `(O, C, kh, kw)` | pictures, grey or in colour |
# | `nn.Conv3d` | 3 directions | `(N, C, D, H, W)` | `(O, C, kd, kh, kw)` | films (`D` counts frames), scans of a body |
#
# To see it, treat red, green and blue as a *depth* of three. A kernel as deep as that has one position along it and
# is the two-dimensional convolution. A kernel that is less deep slides, and would look for the same pattern in red
# and green as in green and blue, which makes no sense for colours. For the frames of a film it does.

# %%
torch.manual_seed(0)
colour = torch.randn(1, 3, 6, 6)
weight = torch.randn(1, 3, 2, 2)
flat = F.conv2d(colour, weight)
deep = F.conv3d(colour.unsqueeze(1), weight.unsqueeze(1))  # one channel, depth 3
less_deep = F.conv3d(colour.unsqueeze(1), weight[:, :2].unsqueeze(1))
print("2-D:               ", tuple(flat.shape))
print("3-D, kernel 3 deep:", tuple(deep.shape), "the same numbers:", torch.allclose(flat, deep[0], atol=1e-5))
print("3-D, kernel 2 deep:", tuple(less_deep.shape))

# %% [markdown]
# **Your turn.** Predict, without running them, the shapes of the weight and of the output of
#
# ```python
# nn.Conv1d(2, 4, kernel_size=3)  # on sound in stereo, (8, 2, 10)
# nn.Conv2d(3, 6, kernel_size=3)  # on a batch of pictures in colour, (64, 3, 32, 32)
# nn.Conv3d(3, 6, kernel_size=3)  # on one clip of 16 frames in colour, (1, 3, 16, 32, 32)
# ```


# %% nbgrader={"grade": false, "grade_id": "predict_conv_shapes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_conv_shapes():
    """Return three pairs (shape of the weight, shape of the output), for the three layers above
    in their order. Each shape is a tuple of whole numbers."""
    ### BEGIN SOLUTION
    return (
        ((4, 2, 3), (8, 4, 8)),
        ((6, 3, 3, 3), (64, 6, 30, 30)),
        ((6, 3, 3, 3, 3), (1, 6, 14, 30, 30)),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_predict_conv_shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(predict_conv_shapes, points=2)
### BEGIN HIDDEN TESTS
check(predict_conv_shapes, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Fewer parameters
#
# An ordinary convolution does two things at once: it looks for patterns *in space*, and it mixes *channels*. A
# **depthwise separable** one does first the one, then the other:
#
# 1. depthwise: each of the $C$ input channels gets a single kernel of $k \times k$, with `groups` $= C$;
# 2. pointwise: kernels of $1 \times 1$ mix the $C$ channels into $O$ new ones.
#
# So `groups=in_channels` alone isn't depthwise separable, though it is often called that: it is the first half.
#
# **On paper.** Count the weights for $C = 64$, $O = 128$, $k = 3$, without biases, before you look.

# %%
ordinary = nn.Conv2d(64, 128, kernel_size=3, padding=1, bias=False)
separable = nn.Sequential(
    nn.Conv2d(64, 64, kernel_size=3, padding=1, groups=64, bias=False),
    nn.Conv2d(64, 128, kernel_size=1, bias=False),
)
x = torch.zeros(1, 64, 8, 8)
counts = {}
for name, layers in (("ordinary", ordinary), ("separable", separable)):
    counts[name] = sum(p.numel() for p in layers.parameters())
    print(f"{name:9} output {tuple(layers(x).shape)}, {counts[name]:6,} weights")
print(f"that is {counts['ordinary'] / counts['separable']:.1f} times fewer")

# %% [markdown]
# Networks for phones are built that way. It isn't the same function for less: all 128 outputs share the same 64
# patterns, and differ only in how they mix them.


# %% nbgrader={"grade": false, "grade_id": "separable_parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def separable_parameters(in_channels, out_channels, kernel_size):
    """Return (ordinary, separable): how many weights a convolution with square kernels has, and how
    many the depthwise separable one in its place. Biases aren't counted."""
    ### BEGIN SOLUTION
    ordinary = out_channels * in_channels * kernel_size**2
    separable = in_channels * kernel_size**2 + out_channels * in_channels
    return ordinary, separable
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_separable_parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(separable_parameters, points=2)
### BEGIN HIDDEN TESTS
check(separable_parameters, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Receptive field
#
# How much of the picture can one number in the last layer see? That is its **receptive field**. Count along one side,
# layer by layer, from the picture upwards, and keep two numbers:
#
# - the *field* $r$: how many pixels one output of this layer sees. For the picture itself, $r = 1$.
# - the *jump* $j$: how many pixels lie between the starts of two neighbouring outputs. For the picture, $j = 1$.
#
# A layer with kernel $k$ and dilation $d$ looks at $k$ outputs of the layer below. The first and the last of them are
# $d \,(k - 1)$ places apart, and each place is $j$ pixels. So its field is larger than that of the layer below by
# $d\,(k - 1) \cdot j$. Its stride $s$ then sets its own outputs further apart: the jump becomes $j \cdot s$, for the
# layers *above*. Together:
#
# $$ r = 1 + \sum_{l} d_l\,(k_l - 1) \prod_{i < l} s_i $$
#
# Padding isn't in it, though one finds it in lists of what makes the field larger: it adds outputs, and none of them
# sees further.
#
# **On paper.** Two layers of $3 \times 3$; three of them; two, the first with stride 2; three, with dilation 1, 2
# and 4. The cell measures it instead: which pixels get a gradient from the number in the middle?


# %%
def measured_field(*layers):
    net = nn.Sequential(*(nn.Conv2d(1, 1, kernel_size=3, **options) for options in layers))
    for layer in net:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 49, 49, requires_grad=True)
    output = net(x)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    return int((x.grad[0, 0] != 0).any(dim=1).sum())


print("two layers of 3 by 3:        ", measured_field({}, {}))
print("three layers of 3 by 3:      ", measured_field({}, {}, {}))
print("two, the first with stride 2:", measured_field({"stride": 2}, {}))
print("dilation 1, 2 and 4:         ", measured_field({}, {"dilation": 2}, {"dilation": 4}))

# %% [markdown]
# The last of them in a picture. Dotted cells lie in a window's gaps, and yet no pixel is left out:

# %%
plots.receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)])


# %% nbgrader={"grade": false, "grade_id": "receptive_field", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(kernel_sizes, strides, dilations):
    """Return how many pixels, along one side, one output of the last layer sees.

    kernel_sizes, strides, dilations: lists of whole numbers, one for each layer, the layer next
    to the picture first.
    """
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel_size, stride, dilation in zip(kernel_sizes, strides, dilations, strict=True):
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_receptive_field", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(receptive_field, points=3)
### BEGIN HIDDEN TESTS
check(receptive_field, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Edge filters
#
# Before kernels were learned, they were thought out. Sobel's two find edges: in each, one side is negative and the
# other positive, and all numbers together make $0$, so that an evenly bright spot gives nothing.
#
# $$ S_x = \begin{pmatrix} -1 & 0 & 1 \\ -2 & 0 & 2 \\ -1 & 0 & 1 \end{pmatrix} \qquad
#    S_y = \begin{pmatrix} -1 & -2 & -1 \\ 0 & 0 & 0 \\ 1 & 2 & 1 \end{pmatrix} $$
#
# $S_x$ answers where it gets brighter from left to right, and with a minus where it gets darker. $S_y$ does the same
# from top to bottom. **On paper.** Which one sees the edge in this picture, and what does it say next to it?

# %%
sobel_x = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
sobel_y = sobel_x.T
half = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]] * 3)  # dark on the left, bright on the right
plots.convolution(half, sobel_x, step=2)

# %%
print("S_x:", F.conv2d(half[None, None], sobel_x[None, None]).flatten().int().tolist())
print("S_y:", F.conv2d(half[None, None], sobel_y[None, None]).flatten().int().tolist())

# %% [markdown]
# On pictures: first in grey (the mean of the three channels), then both kernels. In the maps, mid grey is 0.

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(64))
grey = images.mean(dim=1, keepdim=True)
both = F.conv2d(grey, torch.stack([sobel_x, sobel_y]).unsqueeze(1), padding=1)
plots.feature_maps(images[1], both[1], titles=["S_x", "S_y"])

# %% [markdown]
# Look at the outermost pixels: there is an edge all around the picture. It is the frame of zeros that the padding put
# there.
#
# **Your turn.** Here PyTorch's convolution may, and should, do the work.


# %% nbgrader={"grade": false, "grade_id": "edges", "locked": false, "schema_version": 3, "solution": true, "task": false}
def edges(images):
    """Return what Sobel's two kernels find in pictures.

    images: (N, 3, H, W). They are turned grey first: the mean of the three channels.
    Returns (N, 2, H, W): channel 0 is from S_x, channel 1 from S_y, with padding 1 (zeros).
    """
    ### BEGIN SOLUTION
    x = images.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return F.conv2d(images.mean(dim=1, keepdim=True), torch.stack([x, x.T]).unsqueeze(1), padding=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_edges", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(edges, points=3)
### BEGIN HIDDEN TESTS
check(edges, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## What a trained network looks for
#
# Nobody tells a network which patterns to search for. Here is a small one, trained for a few seconds to name the ten
# classes. (Pooling is the subject of chapter 04, training that of chapter 06. For now it is enough that the weights
# are moved, step by step, towards better answers.)

# %%
torch.manual_seed(2)
net = nn.Sequential(
    nn.Conv2d(3, 8, kernel_size=5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(4),
    nn.Conv2d(8, 16, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 4 * 4, 10),
)
untrained = net[0].weight.detach().clone()

optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=0.005)
train = data.cifar10(train=True, announce=False)
for epoch in range(4):
    for batch, classes in train.batches(64, shuffle=True, seed=epoch, limit=79):
        optimizer.zero_grad()
        F.cross_entropy(net(batch - 0.5), classes).backward()
        optimizer.step()

with torch.no_grad():
    share = (net(images - 0.5).argmax(dim=1) == labels).double().mean()
print("names the class more than twice as often as by guessing:", bool(share > 2 / 10))

# %% [markdown]
# Before training, the kernels of the first layer are noise:

# %%
plots.kernels(untrained)

# %% [markdown]
# And after it:

# %%
plots.kernels(net[0].weight)

# %% [markdown]
# A kernel of one colour all over looks for that colour. One that is light on one side and dark on the other is an
# edge filter, much like Sobel's; several bands make a filter for stripes. Where a kernel's three grey pictures look
# alike, it minds brightness; where they differ, colour. Large networks trained on millions of photos come to the
# same: edges, stripes and colours filled the first layer of AlexNet, too. Nobody drew them. The task and the pictures
# did.
#
# What each kernel finds in one picture, after the ReLU, each map scaled by itself. A map that stays black belongs to
# a kernel that nothing in this picture resembles.

# %%
with torch.no_grad():
    found = F.relu(net[0](images[1:2] - 0.5))[0]
found = found / found.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
plots.images(found.unsqueeze(1), titles=[f"map {c}" for c in range(8)], columns=8)

# %% [markdown]
# A second layer looks for patterns in *these* maps: corners out of edges, textures out of stripes. So it goes on,
# from parts to whole things, while the receptive field grows.

# %% [markdown]
# ## Feature maps in TensorBoard
#
# `SummaryWriter.add_images` takes pictures of one channel or three. A layer with six output channels has neither:

# %%
torch.manual_seed(6)
conv = nn.Conv2d(in_channels=3, out_channels=6, kernel_size=3)
with torch.no_grad():
    maps = conv(images)
print("feature maps:", tuple(maps.shape), f"values from {maps.min():.1f} to {maps.max():.1f}")

folder = board.run("02_convolution")
with board.writer(folder) as writer:
    try:
        writer.add_images("maps", maps, 0)
    except AssertionError as error:
        print("add_images:", error)

# %% [markdown]
# What to do? Each map is a picture in grey, so show it as one: the six maps of an image side by side, one row for
# each image. `board.log_layer` does that for any number of channels. The values are of both signs, whereas a picture
# shows values between 0 and 1: `scale="tile"` makes each map's smallest value black and its largest white.

# %%
batches = list(pictures.batches(16, limit=4))
board.log_layer("conv", conv, batches, folder=folder, scale="tile")
for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:12} steps {min(steps)} to {max(steps)}, each a picture of shape {tuple(steps[0].shape)}")

# %%
board.show(folder)

# %% [markdown]
# The same without TensorBoard, for one image:

# %%
plots.feature_maps(images[0], maps[0])

# %% [markdown]
# **Your turn.** First lay the maps side by side. **On paper.** Two maps of $2 \times 2$, with the numbers $1$ to $4$
# and $5$ to $8$. The row of tiles should begin with $1, 2, 5, 6$. What does plain reshaping give?

# %%
two_maps = torch.arange(1, 9).view(1, 2, 2, 2)
print("map 0", two_maps[0, 0].tolist(), " map 1", two_maps[0, 1].tolist())
print("reshaped:", two_maps.reshape(1, 1, 2, 4)[0, 0].tolist(), "(that is not side by side)")


# %% nbgrader={"grade": false, "grade_id": "tile_maps", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tile_maps(maps):
    """Lay the maps of each image side by side, in their order.

    maps: (N, C, H, W). Returns (N, 1, H, C * W): one picture in grey for each image.
    """
    ### BEGIN SOLUTION
    n, c, h, w = maps.shape
    return maps.permute(0, 2, 1, 3).reshape(n, 1, h, c * w)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_tile_maps", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(tile_maps, points=3)
### BEGIN HIDDEN TESTS
check(tile_maps, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Then log them, with PyTorch's own `SummaryWriter`. The layer is one whose maps are between 0 and 1 already, for
# instance a convolution followed by a sigmoid.


# %% nbgrader={"grade": false, "grade_id": "log_feature_maps", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_feature_maps(folder, name, layer, batches):
    """Log each batch of images, and the maps that a layer makes of them, side by side.

    folder: where the event file goes.
    name: for instance "conv"; the tags are then "conv/input" and "conv/maps".
    layer: a function from images to maps (N, C, H, W) with values from 0 to 1.
    batches: pairs (images, labels) with images of shape (N, 3, H, W).
    The first batch is step 0, the second step 1, and so on. Returns nothing.
    """
    from torch.utils.tensorboard import SummaryWriter

    ### BEGIN SOLUTION
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            side_by_side = layer(images).permute(0, 2, 1, 3).flatten(start_dim=2).unsqueeze(1)
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/maps", side_by_side, step)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_log_feature_maps", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(log_feature_maps, points=4)
### BEGIN HIDDEN TESTS
check(log_feature_maps, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# A tutorial that many copy has the same six maps to log. Its remedy, meant only to keep the error away:
#
# ```python
# output = conv(images)                            # (64, 6, 30, 30)
# output = torch.reshape(output, (-1, 3, 30, 30))
# writer.add_images("output", output, step)
# ```
#
# Nothing crashes, and TensorBoard shows something colourful. But *whose pixels are where?* To find out, write on each
# pixel the number of its image and of its map, and send these labels through the same reshape:

# %%
image_of = torch.arange(64).view(64, 1, 1, 1).expand(64, 6, 30, 30)
map_of = torch.arange(6).view(1, 6, 1, 1).expand(64, 6, 30, 30)
image_of, map_of = torch.reshape(image_of, (-1, 3, 30, 30)), torch.reshape(map_of, (-1, 3, 30, 30))

print(f"{len(images)} images went in, {len(image_of)} pictures came out")
in_place = sum(bool((image_of[place] == place).all()) for place in range(64))
print(f"of the first 64 pictures, {in_place} stands where its image stands in the input")
mixed = sum(len(map_of[place].unique()) > 1 for place in range(len(map_of)))
print(f"pictures in which different maps are passed off as colours: {mixed} of {len(map_of)}")
cut = ((maps < 0) | (maps > 1)).double().mean()
print(f"values that add_images cuts off, since they are not between 0 and 1: {cut:.0%}")
plots.owners(image_of[:8], map_of[:8])

# %% [markdown]
# Three maps that have nothing to do with colours are shown as red, green and blue. Every image appears twice, so that
# the pictures slip: in the place of image 5 stands the output of image 2. And everything below 0 becomes 0. Here is
# what one sees, the images above, and below what the tutorial shows in their places:

# %%
published = torch.reshape(maps, (-1, 3, 30, 30)).clamp(0, 1)
plots.before_after(images[:6], published[:6], titles=("input", "published"))

# %% [markdown]
# It can be worse. With six channels the pixels of different images at least stay apart. With four they don't:

# %%
image_of = torch.arange(3).view(3, 1, 1, 1).expand(3, 4, 30, 30)
map_of = torch.arange(4).view(1, 4, 1, 1).expand(3, 4, 30, 30)
plots.owners(torch.reshape(image_of, (-1, 3, 30, 30)), torch.reshape(map_of, (-1, 3, 30, 30)))

# %% [markdown]
# **Your turn.** Mend it with the smallest change: each map becomes a picture of its own, in grey. All maps of the
# first image come first, in their order, then those of the second, for any number of channels and any size.


# %% nbgrader={"grade": false, "grade_id": "mend_reshape", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_reshape(maps):
    """Return each map as a picture of one channel, by a mended form of the published
    torch.reshape(output, (-1, 3, 30, 30)).

    maps: (N, C, H, W). Returns (N * C, 1, H, W).
    """
    ### BEGIN SOLUTION
    return torch.reshape(maps, (-1, 1, maps.shape[2], maps.shape[3]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_reshape", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(mend_reshape, points=2)
### BEGIN HIDDEN TESTS
check(mend_reshape, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# Somebody replaces a layer with kernels of $7 \times 7$ by three layers of $3 \times 3$, each followed by a ReLU. All
# of them have the same number of channels, in and out. Explain in a few sentences what stays the same, name two
# things that are gained, and say what it costs.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_small_kernels", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The receptive field stays the same: each layer of $3 \times 3$ adds 2 pixels to it, and $1 + 2 + 2 + 2 = 7$. Gained
# are weights: for each pair of an input and an output channel, 27 in place of 49. And gained are bends: with a ReLU
# after each of the three layers, the stack can follow patterns that no single convolution can. (Without the ReLUs,
# the three would be one convolution of $7 \times 7$ in disguise.) It costs memory, since for the gradients the maps
# in between have to be kept; the layers have to be computed one after the other; and gradients pass through more
# layers. (One point for the receptive field with its reason, one for each gain, one for a cost.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **A flipped kernel.** Networks don't flip it. Books about signals do.
# - **The sum over channels is a sum**, not a mean, and the bias is added once, after it.
# - **Rounding.** The size is rounded *down*; what is left over at the end isn't looked at.
# - **Dilation 2** leaves *one* cell out between two. Dilation 1 leaves none.
# - **Height first.** `padding=(1, 2)` is 1 above and below, 2 left and right. `F.pad` wants the *last* dimension
#   first.
# - **`padding="same"`** needs stride 1. With an even kernel it is not symmetrical.
# - **`reshape` moves no numbers**, it only cuts them anew. To bring channels next to each other takes `permute`.
# - **`[p:-p]` is empty for $p = 0$.**
# - **Weights meet every position**: their gradient is a sum over positions and over the batch.
# - **A picture in colour is convolved in two dimensions.** Count the directions in which the kernel slides.

# %% [markdown]
# ## Summary
#
# | what | how much |
# |---|---|
# | output size along a side | $\lfloor (n + 2p - d(k - 1) - 1) / s \rfloor + 1$ |
# | padding that keeps the size, with stride 1 | $d\,(k - 1)$ in all; for $d = 1$ and odd $k$, $(k - 1) / 2$ on each side |
# | shape of the weight | $(O,\ C / \text{groups},\ k_h,\ k_w)$ |
# | parameters | $O \cdot C / \text{groups} \cdot k_h k_w$, and $O$ more with a bias |
# | the same, depthwise separable | $C k^2 + O\,C$ |
# | receptive field | $1 + \sum_l d_l (k_l - 1) \prod_{i<l} s_i$ |
# | as a matrix product | $(O,\, C k_h k_w) \times (N,\, C k_h k_w,\, P)$ |
# | gradient of the bias | the sum of `grad_output` over pictures and positions |
# | gradient of the weight | the sum of `grad_output` times the pixel that the weight met |
# | gradient of the input | the kernels, each times its `grad_output`, stamped and added up |

# %% [markdown]
# ## Where to read on
#
# - LeCun, Bottou, Bengio and Haffner: *Gradient-Based Learning Applied to Document Recognition*, 1998.
# - Chellapilla, Puri and Simard: *High Performance Convolutional Neural Networks for Document Processing*, 2006
#   (im2col).
# - Krizhevsky, Sutskever and Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*, 2012
#   (AlexNet).
# - Zeiler and Fergus: *Visualizing and Understanding Convolutional Networks*, 2014.
# - Simonyan and Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*, 2015 (small
#   kernels).
# - Dumoulin and Visin: *A Guide to Convolution Arithmetic for Deep Learning*, 2016 (many pictures).
# - Yu and Koltun: *Multi-Scale Context Aggregation by Dilated Convolutions*, 2016.
# - Luo, Li, Urtasun and Zemel: *Understanding the Effective Receptive Field in Deep Convolutional Neural
#   Networks*, 2016.
# - Chollet: *Xception: Deep Learning with Depthwise Separable Convolutions*, 2017.
