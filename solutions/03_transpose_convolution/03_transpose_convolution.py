# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 Transpose convolution
#
# **What you will do.** Write the layer that makes images larger in three different ways, write its gradient, and
# find out by counting where the checkerboard in so many generated images comes from.
#
# **What you will learn.** What is transposed; what each argument of `nn.ConvTranspose2d` does and why one of them
# is called `output_padding`; why this layer undoes the size of a convolution, but not the convolution; and how to
# make images larger without a pattern.
#
# **What you need.** Chapter 02, and how to multiply a matrix by a vector. About 120 minutes, and every section
# stands on its own: stop where you like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. Stuck? `hint("conv_matrix")` gives three hints, one at a time.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from tutor import board, check, data, explorers, hint, plots

# %% [markdown]
# ## Going up instead of down
#
# Convolutions with a stride make images smaller. Some networks have to come back up: *segmentation* gives every
# pixel a class, the decoder of an autoencoder restores a picture, a generator makes one out of a few numbers. The
# **transpose convolution** is a layer that makes images larger, with weights that are learned.
#
# A convolution *gathers*: each output looks at a window of the input. A transpose convolution *scatters*: each
# input stamps a whole kernel onto the output, multiplied by its own value, and where stamps overlap they add up.

# %%
image = torch.rand(1, 3, 32, 32)
down = nn.Conv2d(in_channels=3, out_channels=8, kernel_size=4, stride=2, padding=1)
up = nn.ConvTranspose2d(in_channels=8, out_channels=3, kernel_size=4, stride=2, padding=1)
print("in:  ", tuple(image.shape))
print("down:", tuple(down(image).shape), "with a weight of shape", tuple(down.weight.shape))
print("up:  ", tuple(up(down(image)).shape), "with a weight of shape", tuple(up.weight.shape))

# %% [markdown]
# Look at the two weights: `nn.Conv2d` keeps (out, in, height, width), `nn.ConvTranspose2d` keeps **(in, out,
# height, width)**. So the weight that leads from 3 channels down to 8 has just the shape of the one that leads from
# 8 back up to 3; *Gradients by hand* shows why that is handy.
#
# The layer has other names. *Fractionally strided convolution* makes sense: see *Stride is zeros in between*.
# *Deconvolution* doesn't, though one meets it often: in mathematics that means undoing a convolution, and this
# layer does not undo it. See *Not an inverse*.

# %% [markdown]
# ## The matrix and its transpose
#
# A convolution only multiplies and adds, so that it is a matrix. **On paper.** The kernel $(a, b)$ on three
# numbers:
#
# $$ \begin{pmatrix} a x_0 + b x_1 \\ a x_1 + b x_2 \end{pmatrix}
#    = \underbrace{\begin{pmatrix} a & b & 0 \\ 0 & a & b \end{pmatrix}}_{C}
#    \begin{pmatrix} x_0 \\ x_1 \\ x_2 \end{pmatrix}
#    \qquad\qquad
#    C^{\mathsf T} \begin{pmatrix} y_0 \\ y_1 \end{pmatrix}
#    = \begin{pmatrix} a y_0 \\ b y_0 + a y_1 \\ b y_1 \end{pmatrix} $$
#
# $C$ leads from three numbers to two. Its transpose leads from two to three, and that is the transpose convolution:
# $y_0$ stamps $(a, b)$ at place 0, $y_1$ stamps $(a, b)$ at place 1.
#
# An image becomes a vector by writing its rows one after another. A $3 \times 3$ kernel on a $4 \times 4$ image
# gives $2 \times 2$ outputs: a matrix with 4 rows and 16 columns. Column $j$ of a matrix is what it makes of the
# vector with a single 1 at place $j$, so that the convolution of sixteen such images shows the whole matrix:

# %%
kernel = torch.arange(1.0, 10).view(3, 3)
ones_at_each_place = torch.eye(16).view(16, 1, 4, 4)
C = F.conv2d(ones_at_each_place, kernel.view(1, 1, 3, 3)).view(16, 4).T
print("shape:", tuple(C.shape), "zeros:", int((C == 0).sum()), "of", C.numel())
plots.matrix(C, rows="output pixel", columns="input pixel", row_block=2, column_block=4)

# %% [markdown]
# Each row is the kernel, row by row, with gaps as long as what is left of the image's row. From one output to its
# neighbour everything moves right by one; from one row of outputs to the next, by four.
#
# The same matrix transposed has 16 rows and 4 columns. Each column is one stamp:

# %%
plots.matrix(C.T, rows="output pixel", columns="input pixel", row_block=4, column_block=2)

# %% [markdown]
# **On paper.** Take the input $\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$, which is the vector $(1, 2, 3, 4)$.
# What are the first four outputs, the top row of the new image? Read them off the first four rows of the picture.

# %%
small = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
by_matrix = (C.T @ small.flatten()).view(4, 4)
by_torch = F.conv_transpose2d(small.view(1, 1, 2, 2), kernel.view(1, 1, 3, 3))[0, 0]
print(by_matrix)
print("as torch has it:", torch.equal(by_matrix, by_torch))

# %% [markdown]
# **Your turn.** Build that matrix, for any kernel and any size of image, without a convolution.


# %% nbgrader={"grade": false, "grade_id": "conv_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_matrix(weight, input_size):
    """Return the matrix of a convolution with stride 1, without padding.

    weight: a tensor of shape (kh, kw). input_size: the height and width (h, w) of the image.
    Returns a tensor of shape ((h - kh + 1) * (w - kw + 1), h * w); both images are counted
    row by row.
    """
    ### BEGIN SOLUTION
    (kh, kw), (h, w) = weight.shape, input_size
    rows = []
    for top in range(h - kh + 1):
        for left in range(w - kw + 1):
            placed = weight.new_zeros(h, w)
            placed[top : top + kh, left : left + kw] = weight
            rows.append(placed.flatten())
    return torch.stack(rows)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_matrix", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(conv_matrix, points=5)
### BEGIN HIDDEN TESTS
check(conv_matrix, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Your turn.** Now the transpose convolution with it. The matrix that you need belongs to a convolution *from* the
# large image *to* the small one. How large is the large one?


# %% nbgrader={"grade": false, "grade_id": "conv_transpose2d_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_transpose2d_matrix(input, weight):
    """Return the transpose convolution with stride 1, by the transpose of conv_matrix.

    input: a tensor of shape (h, w). weight: a tensor of shape (kh, kw).
    Returns a tensor of shape (h + kh - 1, w + kw - 1).
    """
    ### BEGIN SOLUTION
    large = input.shape[0] + weight.shape[0] - 1, input.shape[1] + weight.shape[1] - 1
    return (conv_matrix(weight, large).T @ input.flatten()).view(large)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_transpose2d_matrix", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(conv_transpose2d_matrix, points=4)
### BEGIN HIDDEN TESTS
check(conv_transpose2d_matrix, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# (One reads that such a layer can't be inverted *because* its weights differ from those of the convolution. In a
# network they do differ, since each layer learns its own. But as you have seen, `C` and `C.T` hold the very same
# numbers, and even then one does not undo the other.)

# %% [markdown]
# ## Scattering
#
# Nobody builds such matrices for real images: they hold little but zeros. Stamping does the same work without them.
#
# **On paper.** Input $(1, 2)$, kernel $(1, 2, 3)$. The first stamp is $1 \cdot (1, 2, 3)$, the second
# $2 \cdot (1, 2, 3)$. The **stride** says how far apart they land:
#
# | | place 0 | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|---|
# | first stamp | 1 | 2 | 3 | | |
# | second, stride 1 | | 2 | 4 | 6 | |
# | second, stride 2 | | | 2 | 4 | 6 |
#
# Add up each column for both strides, then run the cell. In a convolution, the stride moves the window over the
# *input* and makes the result smaller. Here it moves the stamp over the *output* and makes it larger.

# %%
x = torch.tensor([[[1.0, 2.0]]])
stamp = torch.tensor([[[1.0, 2.0, 3.0]]])
for options in (
    {"stride": 1},
    {"stride": 2},
    {"stride": 2, "padding": 1},
    {"stride": 2, "padding": 1, "output_padding": 1},
):
    print(F.conv_transpose1d(x, stamp, **options).flatten().tolist(), options)

# %% [markdown]
# In two dimensions, with stride 2, each number stamps the kernel of the matrix above. Watch the middle row and column,
# where stamps overlap:

# %%
plots.conv_transpose_animation(small, kernel, stride=2)

# %% [markdown]
# The last two lines: **padding cuts off** that many places on every side. (It is named after the convolution that
# it belongs to. What was added there on the way down is taken away on the way up.) And **output padding cuts off
# less at the end**: the last number is a real one, no zero.
#
# In two dimensions the stamp is a small image; with several channels, each input channel has a stamp for each
# output channel, and all that lands in one place is added up. At the end comes the bias, once for each output
# channel. All the arguments of the class:
#
# | argument | default | meaning |
# |---|---|---|
# | `in_channels`, `out_channels` | | channels of the input and of the output |
# | `kernel_size` | | height and width of the stamp: a number, or a pair |
# | `stride` | 1 | how far apart the stamps of two neighbours land |
# | `padding` | 0 | how much is cut off the output on each side |
# | `output_padding` | 0 | how much less is cut off at the bottom and on the right |
# | `groups` | 1 | into how many separate parts the channels are divided |
# | `bias` | `True` | whether a learned number is added for each output channel |
# | `dilation` | 1 | how far apart the entries of the stamp land |
# | `padding_mode` | `"zeros"` | nothing else is allowed |

# %%
batch = torch.rand(1, 4, 5, 6)
plain = {"in_channels": 4, "out_channels": 6, "kernel_size": 3}
for changed in (
    {},
    {"out_channels": 2},
    {"kernel_size": (3, 5)},
    {"stride": 2},
    {"stride": 2, "padding": 1},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"dilation": 2},
    {"groups": 2},
    {"bias": False},
):
    layer = nn.ConvTranspose2d(**(plain | changed))
    sizes = f"weight {tuple(layer.weight.shape)}, output {tuple(layer(batch).shape)}"
    print(f"{sizes}, {sum(p.numel() for p in layer.parameters())} parameters {changed or 'to begin with'}")
try:
    nn.ConvTranspose2d(**plain, padding_mode="reflect")
except ValueError as error:
    print(error)

# %% [markdown]
# Why no other padding mode? Because nothing is padded: here, padding takes away.

# %% [markdown]
# ## Stride is zeros in between
#
# The third way turns scattering back into gathering. Ask which inputs reach a certain output: an input to its
# *left* does, with an entry from the *right* of its stamp, and the other way round. So it is an ordinary
# convolution with the kernel **flipped** in both directions, once the inputs have been moved apart. The recipe:
#
# 1. Put $s - 1$ zeros between neighbours: stride 2 means *one* zero.
# 2. Put $k - 1 - p$ zeros around everything; $k - 1$ is as far as a stamp reaches. With output padding, add that
#    many more at the bottom and on the right.
# 3. Convolve with the flipped kernel, with stride 1.
#
# That is where the name *fractionally strided* comes from: counted in real inputs, the window moves by $1/s$ at a
# time.
#
# **On paper.** The same numbers as above: $(1, 2)$ becomes $(1, 0, 2)$ for stride 2, with $k - 1 = 2$ zeros on both
# sides, and the kernel becomes $(3, 2, 1)$:

# %%
plots.conv_transpose_steps(x[0], stamp[0], stride=(1, 2), view="zeros", steps=(0, 1, 2, 3, 4))

# %% [markdown]
# All three ways, with stride 2. `F.fold` is the stamping: it puts blocks of numbers in their places and adds them
# up where they overlap. And a $1 \times 1$ kernel leaves only the zeros in between:

# %%
x, weight = small.view(1, 1, 2, 2), kernel.view(1, 1, 3, 3)

C5 = F.conv2d(torch.eye(25).view(25, 1, 5, 5), weight, stride=2).view(25, 4).T
by_matrix = (C5.T @ x.flatten()).view(1, 1, 5, 5)
stamps = weight.view(9, 1) * x.view(1, 4)  # one column for each stamp
by_stamps = F.fold(stamps[None], output_size=5, kernel_size=3, stride=2)
apart = F.conv_transpose2d(x, torch.ones(1, 1, 1, 1), stride=2)
by_zeros = F.conv2d(apart, weight.flip(2, 3), padding=2)

print("with zeros in between:", apart[0, 0].tolist())
by_torch = F.conv_transpose2d(x, weight, stride=2)
print(by_torch[0, 0])
for way, result in {"matrix": by_matrix, "stamps": by_stamps, "zeros": by_zeros}.items():
    print(f"{way}: equal to torch's", torch.equal(result, by_torch))

# %% [markdown]
# **Your turn.** Write the third way, with channels: `F.conv2d` is allowed, and it wants a weight of shape (out, in,
# ...). `stride`, `padding` and `output_padding` are each a number or a pair (height, width). If padding is larger
# than $k - 1$, there is something to cut off: `F.pad` does that for negative numbers.


# %% nbgrader={"grade": false, "grade_id": "conv_transpose2d_zeros", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_transpose2d_zeros(input, weight, bias=None, stride=1, padding=0, output_padding=0):
    """Return the transpose convolution by putting in zeros and convolving.

    input: a tensor of shape (N, in, H, W). weight: a tensor of shape (in, out, kh, kw).
    bias: a tensor of shape (out,), or None. The others: a number or a pair.
    """
    ### BEGIN SOLUTION
    pairs = ((v, v) if isinstance(v, int) else v for v in (stride, padding, output_padding))
    (sh, sw), (ph, pw), (oh, ow) = pairs
    n, channels, height, width = input.shape
    around_h, around_w = weight.shape[2] - 1 - ph, weight.shape[3] - 1 - pw
    apart = input.new_zeros(n, channels, (height - 1) * sh + 1, (width - 1) * sw + 1)
    apart[:, :, ::sh, ::sw] = input
    apart = F.pad(apart, (around_w, around_w + ow, around_h, around_h + oh))
    return F.conv2d(apart, weight.flip(2, 3).transpose(0, 1), bias)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_transpose2d_zeros", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(conv_transpose2d_zeros, points=6)
### BEGIN HIDDEN TESTS
check(conv_transpose2d_zeros, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Output size and output padding
#
# In one dimension, with $n$ inputs: the first stamp begins at 0, the last one at $(n - 1)\,s$. With dilation $d$ a
# stamp is $d\,(k - 1) + 1$ long. Then $p$ is cut off on both sides, and output padding gives $o$ back at the end:
#
# $$ (n - 1)\,s \;+\; d\,(k - 1) + 1 \;-\; 2p \;+\; o $$
#
# **On paper.** $n = 4$, $k = 3$, $s = 2$, $p = 1$: how large is the result? And which sizes does an ordinary
# convolution with the same arguments bring down to 4?

# %%
down = nn.Conv2d(1, 1, kernel_size=3, stride=2, padding=1)
for n in range(5, 11):
    print(f"convolution: {n:2} to {down(torch.zeros(1, 1, n, n)).shape[-1]}")

up = nn.ConvTranspose2d(1, 1, kernel_size=3, stride=2, padding=1)
print("transpose convolution: 4 to", up(torch.zeros(1, 1, 4, 4)).shape[-1])

# %% [markdown]
# Both 7 and 8 come down to 4, since a convolution ignores what is left over when another step doesn't fit. On the
# way back up the 4 can't tell where it came from. The formula gives the smallest size, and `output_padding` chooses
# among the others. With stride $s$ there are $s$ of them, so that output padding is at most $s - 1$. (PyTorch wants
# it to be smaller than the stride or than the dilation.)
#
# Or name the size that you want, when you call the layer:

# %%
eight = nn.ConvTranspose2d(1, 1, kernel_size=3, stride=2, padding=1, output_padding=1)
print("output_padding=1:  ", tuple(eight(torch.zeros(1, 1, 4, 4)).shape))
print("output_size=(8, 8):", tuple(up(torch.zeros(1, 1, 4, 4), output_size=(8, 8)).shape))
try:
    up(torch.zeros(1, 1, 4, 4), output_size=(9, 9))
except ValueError as error:
    print(error)

# %% [markdown]
# What is cut off, and what output padding keeps: the last row and column, which the last stamps reach.

# %%
plots.conv_transpose_steps(small, kernel, stride=2, padding=1, output_padding=1, steps=(0, 3))

# %% [markdown]
# **Try it.** Move a slider, and formula and picture follow; *step* sets one stamp after the other. Tick *predict first*: you
# say how large the result is before you see it. With `view`, the same result comes from zeros in between.

# %%
explorers.conv_transpose()

# %% [markdown]
# **Your turn.** Write the formula for one dimension.


# %% nbgrader={"grade": false, "grade_id": "conv_transpose_output_size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    """Return how many numbers a transpose convolution makes of n. All arguments are whole
    numbers, and so is the result."""
    ### BEGIN SOLUTION
    return (n - 1) * stride + dilation * (kernel_size - 1) + 1 - 2 * padding + output_padding
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_transpose_output_size", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(conv_transpose_output_size, points=3)
### BEGIN HIDDEN TESTS
check(conv_transpose_output_size, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Groups and dilation
#
# **Dilation** $d$ moves the entries of each stamp apart: $d - 1$ places between two of them stay empty. Stride
# moves stamps apart, dilation spreads each one.
#
# **Groups** divide the channels into parts that know nothing of each other: the first part of the input channels
# makes the first part of the output channels, and so on. The weight has the shape (in, out / groups, height,
# width).
#
# **On paper.** Two channels of one pixel, 1 and 10, and the weights 1, 2 for the first and 3, 4 for the second.
# Without groups there are two output channels, and each gets something from both inputs. With two groups, each
# input channel makes two output channels of its own. Which numbers come out?

# %%
one = torch.tensor([[[1.0]]])
for dilation in (1, 2, 3):
    spread_stamp = F.conv_transpose1d(one, stamp, dilation=dilation)
    print(f"dilation={dilation}:", spread_stamp.flatten().tolist())

two_channels = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1)
weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(2, 2, 1, 1)
for groups in (1, 2):
    print(f"groups={groups}:", F.conv_transpose2d(two_channels, weight, groups=groups).flatten().tolist())

# %% [markdown]
# **Your turn.** The whole layer, by scattering. Everything is explained above: *Scattering* has stride, padding and
# output padding, *Output size and output padding* the size of the result. Build it up one argument at a time: the
# check tells you which ones already work, and gives points for them. No convolution this time, and no `F.fold`.


# %% nbgrader={"grade": false, "grade_id": "conv_transpose2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Return the transpose convolution by stamping kernels onto the output.

    input: a tensor of shape (N, in, H, W). weight: a tensor of shape
    (in, out / groups, kh, kw). bias: a tensor of shape (out,), or None. stride, padding,
    output_padding, dilation: a number or a pair (height, width). groups: a number.
    """
    ### BEGIN SOLUTION
    pairs = ((v, v) if isinstance(v, int) else v for v in (stride, padding, output_padding, dilation))
    (sh, sw), (ph, pw), (oh, ow), (dh, dw) = pairs
    n, channels, height, width = input.shape
    _, out_in_group, kh, kw = weight.shape
    tall, wide = (height - 1) * sh + 1, (width - 1) * sw + 1  # from the first stamp's corner to the last's
    parts = input.reshape(n, groups, channels // groups, height, width)
    stamps = weight.reshape(groups, channels // groups, out_in_group, kh, kw)
    shape = n, groups * out_in_group, tall + dh * (kh - 1) + oh, wide + dw * (kw - 1) + ow
    output = input.new_zeros(shape)
    for i in range(kh):
        for j in range(kw):
            share = torch.einsum("ngchw,gco->ngohw", parts, stamps[..., i, j]).flatten(1, 2)
            output[:, :, i * dh : i * dh + tall : sh, j * dw : j * dw + wide : sw] += share
    output = output[:, :, ph : shape[2] - ph, pw : shape[3] - pw]
    return output if bias is None else output + bias.view(1, -1, 1, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_transpose2d", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(conv_transpose2d, points=6)
### BEGIN HIDDEN TESTS
check(conv_transpose2d, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Gradients by hand
#
# The layer is a matrix: $y = C^{\mathsf T} x$. The chain rule multiplies by the transpose of that, and the
# transpose of a transpose is the matrix itself:
#
# $$ \text{grad\_input} = C \; \text{grad\_output} $$
#
# So **the backward pass of a transpose convolution is a convolution**: each input collects the gradients from where
# it had stamped, multiplied by the stamp. It works the other way round too: the backward pass of a convolution is a
# transpose convolution. That is how PyTorch computes both, and why the weight is kept as (in, out): for the
# convolution that leads back, it already has the shape (out, in).
#
# **On paper.** Input $(1, 2)$, kernel $(1, 2, 3)$, stride 2, so that there are five outputs. Their gradients are
# $(1, 0, 2, 0, 0)$. The first input had stamped places 0 to 2, the second places 2 to 4. What are the two
# gradients?

# %%
x = torch.tensor([[[1.0, 2.0]]], requires_grad=True)
grad_output = torch.tensor([[[1.0, 0.0, 2.0, 0.0, 0.0]]])
F.conv_transpose1d(x, stamp, stride=2).backward(grad_output)
print("by autograd:     ", x.grad.flatten().tolist())
print("by a convolution:", F.conv1d(grad_output, stamp, stride=2).flatten().tolist())

# %% [markdown]
# **Your turn.** Write it for images, without autograd; `F.conv2d` is allowed. What has to become of `stride` and
# `padding`?


# %% nbgrader={"grade": false, "grade_id": "conv_transpose2d_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    """Return (grad_input,) for y = conv_transpose2d(input, weight, None, stride, padding).

    grad_output: a tensor of y's shape. input: a tensor of shape (N, in, H, W). weight: a
    tensor of shape (in, out, kh, kw). stride, padding: a number or a pair.
    """
    ### BEGIN SOLUTION
    return (F.conv2d(grad_output, weight, stride=stride, padding=padding),)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conv_transpose2d_backward", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(conv_transpose2d_backward, points=5)
### BEGIN HIDDEN TESTS
check(conv_transpose2d_backward, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Not an inverse
#
# Down with a convolution, then up with the transpose of the very same matrix: the size comes back. Do the numbers?
# The input is $(1, 2, 3)$, and the kernel $(1, 1)$, both times with stride 1:
#
# ```python
# y = F.conv1d(x, kernel)            # two numbers
# z = F.conv_transpose1d(y, kernel)  # three numbers
# ```
#
# **Your turn.** Predict first: what does `z` hold?


# %% nbgrader={"grade": false, "grade_id": "predict_round_trip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_round_trip():
    """Return the three numbers in z after the two lines above, as a list."""
    ### BEGIN SOLUTION
    return [3.0, 8.0, 5.0]  # down to (3, 5); up to 3, 3 + 5, 5
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_predict_round_trip", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(predict_round_trip, points=3)
### BEGIN HIDDEN TESTS
check(predict_round_trip, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# No other layer could bring them back either, since they are gone: some inputs differ, and their outputs do not.
# The kernel $(1, -1)$ computes differences of neighbours, for example, and those don't change when a number is
# added to everything:

# %%
difference = torch.tensor([[[1.0, -1.0]]])
for x in ([1.0, 2.0, 4.0], [11.0, 12.0, 14.0], [10.0, 10.0, 10.0]):
    print(x, "becomes", F.conv1d(torch.tensor([[x]]), difference).flatten().tolist())

# %% [markdown]
# The last line shows what is lost: an input that becomes zero. Whatever multiple of it is in the input, the output
# knows nothing of it. How many such directions there are, the rank of the matrix tells. For the $4 \times 16$
# matrix:

# %%
rank = int(torch.linalg.matrix_rank(C))
print(f"of {C.shape[1]} directions {rank} are kept and {C.shape[1] - rank} are lost")

# %% [markdown]
# **Your turn.** Find such a direction for the kernel $(1, 1)$.


# %% nbgrader={"grade": false, "grade_id": "lost_direction", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lost_direction():
    """Return an input of three numbers, not all zero, that a convolution with the kernel
    (1, 1) turns into zeros, as a tensor of shape (3,)."""
    ### BEGIN SOLUTION
    return torch.tensor([1.0, -1.0, 1.0])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_lost_direction", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(lost_direction, points=2)
### BEGIN HIDDEN TESTS
check(lost_direction, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# What is the layer good for, then? A network doesn't need the inverse: it learns weights that fill in something
# plausible. And where the details matter, as in segmentation, networks such as U-Net hand them from the way down to
# the way up, past the bottleneck.

# %% [markdown]
# ## The checkerboard
#
# If the stride doesn't divide the kernel size, stamps overlap more in some places than in others. Counted in two
# dimensions, for four by four inputs: ones as the input and ones as the kernel make the layer count.

# %%
counts = {}
for size in (3, 4):
    ones = torch.ones(1, 1, 4, 4)
    stamped = F.conv_transpose2d(ones, torch.ones(1, 1, size, size), stride=2)
    counts[f"kernel {size}, stride 2"] = stamped[0, 0]
plots.overlaps(counts)

# %% [markdown]
# With kernel size 3, four stamps, two, or one land on a pixel in turn: a checkerboard. With 4, away from the
# border, it is always four. The rule is simple: **choose a kernel size that the stride divides.**
#
# **Your turn.** Count in one dimension, for any sizes. (The grids above are the products of two such rows of
# counts.)


# %% nbgrader={"grade": false, "grade_id": "overlap_count", "locked": false, "schema_version": 3, "solution": true, "task": false}
def overlap_count(n, kernel_size, stride):
    """Return how many of n inputs write to each output, without padding.

    All arguments are whole numbers. Returns a 1-D tensor with a count for each output.
    """
    ### BEGIN SOLUTION
    counts = torch.zeros((n - 1) * stride + kernel_size, dtype=torch.int64)
    for start in range(0, n * stride, stride):
        counts[start : start + kernel_size] += 1
    return counts
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_overlap_count", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(overlap_count, points=4)
### BEGIN HIDDEN TESTS
check(overlap_count, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# On images: every stamp is a plain square, and each channel is a group of its own. Dividing by four keeps the
# values between 0 and 1.

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(8))


def enlarge(images, size):
    weight = torch.full((3, 1, size, size), 1 / 4)
    return F.conv_transpose2d(images, weight, stride=2, padding=1, groups=3)


rough, smooth = enlarge(images, 3), enlarge(images, 4)
print("kernel 3:", tuple(rough.shape), " kernel 4:", tuple(smooth.shape))
smooth = smooth[:, :, :-1, :-1]  # one row and column less, to show them side by side
plots.images(torch.stack([rough[0], smooth[0], rough[1], smooth[1]]), columns=4, titles=["kernel 3", "kernel 4"] * 2)

# %% [markdown]
# Training can learn weights that hide the pattern, but it has to work for it. And the pattern returns in the
# gradients: where a *convolution's* stride doesn't divide its kernel size, its backward pass has one, being a
# transpose convolution.

# %% [markdown]
# ## Resize, then convolve
#
# Even counts are not the end of it. With random weights, as before training, each pixel gets its numbers from
# *different* entries of the stamp, depending on whether its row and its column are even or odd. A surely even way
# is to make the image larger first, by repeating each pixel, and then to convolve with stride 1: every output is
# then computed by the same weights. How many different values does each way make of an even grey, away from the
# border?

# %%
torch.manual_seed(0)
grey = torch.full((1, 1, 8, 8), 0.5, dtype=torch.float64)
three, four = (torch.rand(1, 1, size, size, dtype=torch.float64) for size in (3, 4))
ways = {
    "kernel 3, stride 2": F.conv_transpose2d(grey, three, stride=2, padding=1),
    "kernel 4, stride 2": F.conv_transpose2d(grey, four, stride=2, padding=1),
    "resize, then kernel 3": F.conv2d(F.interpolate(grey, scale_factor=2, mode="nearest"), three, padding=1),
}
for way, result in ways.items():
    inside = result[0, 0, 2:-2, 2:-2]
    different, unevenness = len(inside.round(decimals=6).unique()), inside.std() / inside.mean()
    print(f"{way:22} different values: {different}, spread {unevenness:.0%} of their mean")

# %% [markdown]
# **Your turn.** Write that last way, for any number of channels. `F.conv2d` is allowed. The size after it is
# exactly twice the size before: how much padding does a kernel of odd size need for that?


# %% nbgrader={"grade": false, "grade_id": "resize_convolve", "locked": false, "schema_version": 3, "solution": true, "task": false}
def resize_convolve(input, weight):
    """Repeat each pixel twice in both directions, then convolve and keep that size.

    input: a tensor of shape (N, in, H, W). weight: a tensor of shape (out, in, k, k) with
    an odd k, as F.conv2d takes it. Returns a tensor of shape (N, out, 2 * H, 2 * W); around
    the image are zeros.
    """
    ### BEGIN SOLUTION
    larger = input.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return F.conv2d(larger, weight, padding=(weight.shape[2] // 2, weight.shape[3] // 2))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_resize_convolve", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(resize_convolve, points=4)
### BEGIN HIDDEN TESTS
check(resize_convolve, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# This formula for the output size can be found in more than one article, and it even looks sensible, since padding
# makes things larger:
#
# $$ (n - 1)\,s + k + 2p $$
#
# The next cell runs it beside the real thing.

# %%
for n, k, s, p in ((4, 3, 2, 0), (4, 3, 2, 1), (16, 4, 2, 1), (5, 5, 1, 2)):
    real = nn.ConvTranspose2d(1, 1, k, s, p)(torch.zeros(1, 1, n, n)).shape[-1]
    print(f"n={n:2} k={k} s={s} p={p}: published {(n - 1) * s + k + 2 * p}, torch {real}")

# %% [markdown]
# **Your turn.** For which argument is it right, and for which isn't it? Mend it with the smallest change.


# %% nbgrader={"grade": false, "grade_id": "mend_transpose_size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_transpose_size(n, kernel_size, stride=1, padding=0):
    """Return the output size in one dimension, by a mended form of the published formula
    (n - 1) * stride + kernel_size + 2 * padding."""
    ### BEGIN SOLUTION
    return (n - 1) * stride + kernel_size - 2 * padding
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_transpose_size", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(mend_transpose_size, points=2)
### BEGIN HIDDEN TESTS
check(mend_transpose_size, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## CIFAR-10 before and after
#
# Whole batches now, in TensorBoard. A transpose convolution can enlarge images smoothly, if its stamp is chosen
# well: strongest in the middle and fading outwards, so that neighbours blend. Such a *bilinear* stamp is a good
# first weight for a layer that is to be trained.

# %%
fading = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
bilinear = nn.ConvTranspose2d(3, 3, kernel_size=4, stride=2, padding=1, groups=3, bias=False)
with torch.no_grad():
    bilinear.weight.copy_(torch.outer(fading, fading))
print(bilinear.weight[0, 0].detach())

test_batches = list(pictures.batches(64, limit=4))
folder = board.run("03_transpose_convolution")
board.log_layer("bilinear", bilinear, test_batches, folder=folder)
board.log_layer("checkerboard", lambda batch: enlarge(batch, 3), test_batches, folder=folder)

for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:19} steps {min(steps)} to {max(steps)}, each a picture of shape {tuple(steps[0].shape)}")

# %%
board.show(folder)

# %% [markdown]
# The same without TensorBoard, for four pictures. Mind the seams at the border, where fewer stamps overlap:

# %%
with torch.no_grad():
    larger = bilinear(images[:4])
print("before:", tuple(images[:4].shape), "after:", tuple(larger.shape))
plots.before_after(images[:4], larger, titles=("before", "bilinear"))

# %% [markdown]
# ## In your own words
#
# Somebody writes a decoder with `nn.ConvTranspose2d(64, 3, kernel_size=3, stride=2, padding=1, output_padding=1)`
# and says: *it has the same arguments as my convolution, so it undoes it; and the grid in my pictures will go away
# with more training.* What is wrong in each of the two claims? Give two ways to get rid of the grid, and say what
# each may cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_checkerboard", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The same arguments bring back the size, not the numbers: the convolution maps many inputs to one output, so that
# no layer can tell which it was; besides, the decoder's weights are its own. The grid comes from counts: the stride
# 2 does not divide the kernel size 3, so that some pixels get four stamps and others two or one. Training has to
# learn weights that make up for that, and often doesn't quite. A kernel of size 4 makes the counts even, but has
# more weights and may still give each pixel of a block of four other entries of the kernel. Resizing and then
# convolving with stride 1 computes all pixels with the same weights, but works at the larger size, which costs
# time, and may blur. (One point for each claim, one for two ways, one for a cost of each.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **It is no inverse.** The size comes back, the numbers don't.
# - **The weight is (in, out / groups, height, width)**, the other way round than in `nn.Conv2d`.
# - **Padding cuts off.** More padding makes the output smaller.
# - **Output padding is no border of zeros.** It keeps more of what was stamped, at the bottom and on the right
#   only.
# - **Stride 2 is one zero in between**, not two, and none after the last.
# - **Zeros in between need the kernel flipped**, or left and right change places.
# - **Overlapping stamps add up.** Writing with `=` in place of `+=` loses all but the last.
# - **In `F.conv_transpose2d`, `groups` comes before `dilation`**; in `F.conv2d` it comes after. Name them.
# - **Kernel 3 with stride 2** makes a checkerboard. Take 4, or resize and convolve.

# %% [markdown]
# ## Summary
#
# | | convolution | transpose convolution |
# |---|---|---|
# | matrix | $C$ | $C^{\mathsf T}$ |
# | each number | gathers a window of the input | stamps a kernel onto the output |
# | weight | (out, in / groups, height, width) | (in, out / groups, height, width) |
# | stride | moves the window on the input: smaller | moves the stamp on the output: larger |
# | padding | adds zeros to the input | cuts off the output |
# | output size | $\lfloor (n + 2p - d\,(k - 1) - 1) / s \rfloor + 1$ | $(n - 1)\,s + d\,(k - 1) + 1 - 2p + o$ |
# | gradient of the input | a transpose convolution | a convolution |
#
# | way to enlarge | learned | pattern |
# |---|---|---|
# | transpose convolution, stride doesn't divide the kernel size | yes | checkerboard in the counts |
# | transpose convolution, stride divides it | yes | even counts; weights may still differ |
# | resize, then convolve | yes | none |
# | bilinear stamp, not trained | no | none inside; dark seams at the border |

# %% [markdown]
# ## Where to read on
#
# - Zeiler, Krishnan, Taylor and Fergus: *Deconvolutional Networks*, 2010 (where the unlucky name comes from).
# - Long, Shelhamer and Darrell: *Fully Convolutional Networks for Semantic Segmentation*, 2015.
# - Ronneberger, Fischer and Brox: *U-Net: Convolutional Networks for Biomedical Image Segmentation*, 2015.
# - Radford, Metz and Chintala: *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks*, 2015.
# - Dumoulin and Visin: *A Guide to Convolution Arithmetic for Deep Learning*, 2016 (pictures of every case).
# - Odena, Dumoulin and Olah: *Deconvolution and Checkerboard Artifacts*, 2016.
