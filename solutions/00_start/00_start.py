# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 Start
#
# **What you will do.** Write a neuron and see it pass its first check, in about ten minutes; read a failed check on
# purpose; turn pictures into tensors; let the neuron learn one step by hand; and log your first batch to TensorBoard.
#
# **What you will learn.** How cells, checks, hints and points work; what the four letters N, C, H, W stand for; what a
# gradient is good for; and what TensorBoard's `global_step` counts.
#
# **What you need.** A little Python: functions, lists, loops. No PyTorch yet. About 60 minutes in all; after the first
# ten, every section stands on its own.

# %% [markdown]
# ## From nothing to the first passed check
#
# This page is a **notebook**: a row of cells. Cells like this one hold text; the grey ones hold Python. Click on a grey
# cell and press **Shift + Enter**: it runs, shows its result below, and the next cell is selected. The number in
# brackets beside it counts the runs. Cells may be run in any order and again, but each sees only what has been run
# before it. When things are in a muddle: *Kernel → Restart Kernel and Run up to Selected Cell*.
#
# Begin with this one. It imports PyTorch, the library that this course is about, and the course's own tools:

# %%
import torch
import torch.nn.functional as F
from torch import nn

from tutor import board, check, data, explorers, hint, plots, progress

print("ready")

# %% [markdown]
# ## A neuron
#
# A **neuron** takes numbers in, multiplies each by a **weight** of its own, adds the products up, and adds a **bias**:
#
# $$ z = w_1 x_1 + w_2 x_2 + \dots + w_d x_d + b $$
#
# The name comes from the cells of the brain, which inspired the idea and do a good deal more.
#
# **On paper.** Inputs $x = (1, 2)$, weights $w = (3, -1)$, bias $b = 0.5$. What is $z$? Write it down, then run:

# %%
inputs = torch.tensor([1.0, 2.0])
weights = torch.tensor([3.0, -1.0])
bias = torch.tensor(0.5)

print("products:", inputs * weights)
print("neuron:  ", 1.0 * 3.0 + 2.0 * -1.0 + 0.5)

# %% [markdown]
# **Try it.** Move a slider, with the mouse or with the arrow keys, and the sum follows. Tick *predict first*, and you say
# what will come out before you see it. Each chapter has such an *explorer*.

# %%
explorers.neuron()

# %% [markdown]
# `torch.tensor` makes a **tensor** of numbers, and `*` multiplies two tensors element by element. To add up all of a
# tensor's numbers there is `.sum()`.
#
# **Your turn.** The next cell is an exercise. The text in quotation marks says what goes in and what comes out. Replace
# `raise NotImplementedError()` by your answer, run the cell (nothing seems to happen: the function is now defined), then
# run the cell with `check` under it.


# %% nbgrader={"grade": false, "grade_id": "neuron", "locked": false, "schema_version": 3, "solution": true, "task": false}
def neuron(inputs, weights, bias):
    """Return what a neuron computes: the weighted sum of its inputs, plus its bias.

    inputs, weights: tensors of shape (d,). bias: a tensor of shape (), a single number.
    Returns a tensor of shape ().
    """
    ### BEGIN SOLUTION
    return (inputs * weights).sum() + bias
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_neuron", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(neuron, points=2)
### BEGIN HIDDEN TESTS
check(neuron, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# A green card with a tick? Then you have passed your first check. Any other card says what to do; *When a check fails* is
# about that. And where it says `NameError: name 'neuron' is not defined`, a cell further up hasn't been run, or the *kernel*,
# the Python behind this page, was restarted: *Kernel → Restart Kernel and Run up to Selected Cell*.
#
# - **A check** runs your function on many inputs and compares it with PyTorch. Run it as often as you like, nothing is
#   lost or counted.
# - **Points.** An answer that is partly right earns part of the points. There are also *hidden* tests, which check again
#   with other numbers. An answer that is right in general has nothing to fear from them; one that returns what it
#   remembers does.
# - **Hints.** Each exercise has three, from a nudge to a recipe. They cost nothing. Run this cell again for the next one:

# %%
hint("neuron")

# %% [markdown]
# In PyTorch, several neurons that look at the same inputs are a layer, `nn.Linear`, which chapter 05 is about. Mostly an
# *activation function* follows, such as the ReLU: what is negative becomes 0. That is chapter 01. Put together in a class,
# as one usually writes a network:

# %%
class Neuron(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(in_features=2, out_features=1)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.linear(x))


one = Neuron()
with torch.no_grad():  # the same weights and bias as above
    one.linear.weight.copy_(torch.tensor([[3.0, -1.0]]))
    one.linear.bias.fill_(0.5)
for x in (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])):
    print(f"inputs {x.tolist()}: sum {one.linear(x).item()}, after the ReLU {one(x).item()}")

# %% [markdown]
# ## When a check fails
#
# It will, often, and that is how one learns here. So let one fail on purpose. ReLU, said in a line: positive numbers stay
# as they are, the others become 0. Somebody has written this instead:

# %% tags=["raises-exception"]
def relu(input):
    return input.abs()


check(relu)

# %% [markdown]
# The card says, from the top:
#
# 1. the **verdict**: right, partly right, or not right yet; and the points, where there are any;
# 2. **what** the function does, and why that is wrong. The check has tried the mistakes that people typically make until
#    one gave just the same results. Where none does, it says so plainly;
# 3. **the smallest case** that shows it: the input, what is expected, and what came out, with a ✗ at each number that is
#    wrong. Here it is small enough to do in one's head;
# 4. something to **try**, and which section to **read again**, in the chapter of the exercise: for `relu` that is chapter 01.
#
# The line in red at the end only says that the cell stops here.
#
# **Your turn.** Read the card: what are the three numbers in its smallest case, and which section does it send you to?


# %% nbgrader={"grade": false, "grade_id": "read_card", "locked": false, "schema_version": 3, "solution": true, "task": false}
def read_card():
    """Return what the card above says: (input, expected, yours, section).

    The first three are the numbers of the smallest case, without their brackets. The last is
    the heading to read again, in quotation marks. Of another card one might have to write:
    return 2, 4, 3, "Pooling"
    """
    ### BEGIN SOLUTION
    return -1.0, 0.0, 1.0, "ReLU"
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_read_card", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(read_card, points=2)
### BEGIN HIDDEN TESTS
check(read_card, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Tensors
#
# Everything in PyTorch is a tensor: a block of numbers of one type, with any number of dimensions. Its **shape** says how
# many there are along each. A single number has the shape `()`, a list of three `(3,)`, a table with two rows and three
# columns `(2, 3)`.

# %%
torch.manual_seed(0)  # random numbers, but the same ones each time
for name, tensor in {
    "torch.tensor(5.5)": torch.tensor(5.5),
    "torch.tensor([5.5, 3])": torch.tensor([5.5, 3]),
    "torch.zeros(5, 3)": torch.zeros(5, 3),
    "torch.ones(2, 3)": torch.ones(2, 3),
    "torch.randn(5, 3)": torch.randn(5, 3),
    "torch.arange(6).view(2, 3)": torch.arange(6).view(2, 3),
}.items():
    print(f"{name:27} shape {tuple(tensor.shape)!s:7} {tensor.dtype}")

# %% [markdown]
# `torch.randn` draws random numbers around 0. (There is also `torch.empty(5, 3)`, whose numbers are whatever happened to
# lie in memory. Fill it before you use it.)
#
# Arithmetic works number by number. Where shapes differ, a smaller tensor is repeated to fit, lined up **from the right**.
# That is called *broadcasting*:

# %%
x = torch.tensor([5.5, 3.0])
y = torch.tensor([2.0, 1.0])
print("x + y:", (x + y).tolist(), " x * y:", (x * y).tolist(), " x * 10:", (x * 10).tolist())

table = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print("a row added to each row:      ", (table + torch.tensor([10.0, 20.0, 30.0])).tolist())
print("a column added to each column:", (table + torch.tensor([[10.0], [20.0]])).tolist())
print("sum:", table.sum().item(), " mean over dimension 0:", table.mean(dim=0).tolist())

# %% [markdown]
# If you know NumPy: a tensor is much like its arrays, and two things come on top. A tensor can live on a graphics card,
# which is where PyTorch gets its speed: `x.to("cuda")`. (In this course everything runs on an ordinary processor.) And
# PyTorch can differentiate what is done with tensors, while the program runs, whatever loops and branches it has: see *A
# step downhill*. PyTorch is open source and was begun at Facebook's AI laboratory. For projects of your own,
# `pip install torch torchvision` is all it takes.

# %% [markdown]
# ## Pictures as tensors
#
# The pictures of this course are from **CIFAR-10**: 32 by 32 pixels, in ten classes. Where it isn't on this computer and
# can't be downloaded, the course draws a small sample of its own, and says so.

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(64))
print("images", tuple(images.shape), "labels", tuple(labels.shape))
print(f"values from {images.min():.2f} to {images.max():.2f}, {images.dtype}")
plots.images(images[:10], titles=[pictures.classes[label] for label in labels[:10]])

# %% [markdown]
# Four dimensions, always in this order, **NCHW**:
#
# | | dimension | here | |
# |---|---|---|---|
# | N | 0 | 64 | how many images: the *batch* |
# | C | 1 | 3 | channels: red, green, blue (grey pictures have 1) |
# | H | 2 | 32 | height: rows, from the top |
# | W | 3 | 32 | width: columns, from the left |
#
# A data set is too large to go through a network at once, so one takes a **batch** at a time. Its size is yours to
# choose; 64 is a common one. `pictures.batches(64)` goes through all of them, from the first to the last. Outside this
# course you would get the same batches from torchvision and a `DataLoader`:
#
# ```python
# dataset = torchvision.datasets.CIFAR10("data", train=False, download=True, transform=torchvision.transforms.ToTensor())
# loader = torch.utils.data.DataLoader(dataset, batch_size=64)
# for images, labels in loader:
#     ...
# ```
#
# Indexing takes pieces out of a tensor:

# %%
table = torch.arange(12).view(3, 4)
print("table:        ", tuple(table.shape))
print("table[0]:     ", tuple(table[0].shape), table[0].tolist())
print("table[:, 0]:  ", tuple(table[:, 0].shape), table[:, 0].tolist())
print("table[:2]:    ", tuple(table[:2].shape), table[:2].tolist())
print("permute(1, 0):", tuple(table.permute(1, 0).shape), table.permute(1, 0).tolist())
print("mean(dim=0):  ", tuple(table.double().mean(dim=0).shape), table.double().mean(dim=0).tolist())

# %% [markdown]
# **Your turn.** Predict first. With `images` of shape (64, 3, 32, 32), which shapes have these?
#
# ```python
# images[0]
# images[:, 0]
# images[:8]
# images.permute(0, 2, 3, 1)
# images.mean(dim=(0, 2, 3))
# ```


# %% nbgrader={"grade": false, "grade_id": "predict_shapes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_shapes():
    """Return the shapes of the five tensors above, as a list of five tuples."""
    ### BEGIN SOLUTION
    return [(3, 32, 32), (64, 32, 32), (8, 3, 32, 32), (64, 32, 32, 3), (3,)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_predict_shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(predict_shapes, points=2)
### BEGIN HIDDEN TESTS
check(predict_shapes, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## From files to NCHW
#
# Picture files, and most libraries that read them, have another order, and other numbers: height, width, channels, each
# a byte from 0 to 255. The colours of one pixel lie side by side. A picture of two rows and three columns, as a file
# has it and as PyTorch wants it (the numbers are only there to be followed):

# %%
file = torch.arange(1.0, 19.0).view(2, 3, 3)  # (H, W, C)
nchw = file.permute(2, 0, 1)  # (C, H, W)
print("file", tuple(file.shape), "PyTorch", tuple(nchw.shape))
print("the pixel in the corner:", file[0, 0].tolist(), "and", nchw[:, 0, 0].tolist())
plots.overlaps({"in the file": file.flatten(1), "red": nchw[0], "green": nchw[1], "blue": nchw[2]})

# %% [markdown]
# `permute` lists, for each new place, which old dimension comes there. `reshape` can make the same shape and is a trap: it
# leaves all numbers in their order, and so tears the colours apart. And the bytes have to become numbers from 0 to 1.
# (torchvision's `ToTensor` does all that for one picture.)
#
# **Your turn.** Do it for a whole batch.


# %% nbgrader={"grade": false, "grade_id": "to_nchw", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_nchw(images):
    """Return pictures from files as PyTorch's layers want them.

    images: a uint8 tensor of shape (N, H, W, C), from 0 to 255. C may be any number.
    Returns a float32 tensor of shape (N, C, H, W), from 0 (byte 0) to 1 (byte 255).
    """
    ### BEGIN SOLUTION
    return images.permute(0, 3, 1, 2).float() / 255
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_to_nchw", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(to_nchw, points=3)
### BEGIN HIDDEN TESTS
check(to_nchw, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Normalising
#
# Networks learn best from numbers around 0. So one subtracts the **mean** and divides by the **standard deviation**, for
# each channel its own, measured once on the training set:
#
# $$ \hat x_{nchw} = \frac{x_{nchw} - \text{mean}_c}{\text{std}_c} $$

# %%
train_pictures = data.cifar10()
some, _ = next(train_pictures.batches(5000, shuffle=True))  # as many as tell it well enough
mean, std = some.double().mean(dim=(0, 2, 3)), some.double().std(dim=(0, 2, 3))
for channel, m, s in zip(("red", "green", "blue"), mean, std, strict=True):
    print(f"{channel:5} mean {m:.2f}, standard deviation {s:.2f}")

# %% [markdown]
# **Your turn.** Mean and deviation have the shape (C,). Broadcasting lines up from the right: which dimension of the images
# would they meet, and what shape do they need to meet the channels?


# %% nbgrader={"grade": false, "grade_id": "normalize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalize(images, mean, std):
    """Return images whose channels are shifted by their mean and divided by their deviation.

    images: a tensor of shape (N, C, H, W). mean, std: tensors of shape (C,). C may be any number.
    """
    ### BEGIN SOLUTION
    return (images - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_normalize", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(normalize, points=3)
### BEGIN HIDDEN TESTS
check(normalize, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## A step downhill
#
# How does a neuron learn? By small steps, each of which makes it a little less wrong. How wrong it is, the **loss** says:
# here the square of the distance between the neuron's output $z$ and the **target** $t$ that it should have given.
#
# $$ L = (z - t)^2 \qquad z = w_1 x_1 + \dots + w_d x_d + b $$
#
# Now ask of each weight: if it grew by a little, how fast would the loss grow? That is the **gradient**, the slope. With
# one input of 2 and a target of 6, say, the loss depends on the weight like this (across is the weight):

# %%
def loss_of(weight):
    return (2 * weight - 6) ** 2


for value in (2.0, 3.0, 4.0):
    weight = torch.tensor(value, requires_grad=True)
    loss_of(weight).backward()
    print(f"at weight {value}: loss {loss_of(weight).item():.0f}, slope {weight.grad.item():.0f}")
plots.activations({"loss of one weight": loss_of}, low=1.0, high=5.0)

# %% [markdown]
# Where the slope is negative, the loss shrinks as the weight grows: so the weight should grow. Where it is positive, the
# other way. At the bottom it is 0. So each step goes **against the slope**, by the *learning rate* $\eta$ times as much:
#
# $$ w_i \leftarrow w_i - \eta\, \frac{\partial L}{\partial w_i} \qquad b \leftarrow b - \eta\, \frac{\partial L}{\partial b} $$
#
# The slope comes from the chain rule. A square grows by twice its base, $2 (z - t)$, times what $z$ grows by: $x_i$ for
# the weight $w_i$, and 1 for the bias.
#
# $$ \frac{\partial L}{\partial w_i} = 2\,(z - t)\,x_i \qquad \frac{\partial L}{\partial b} = 2\,(z - t) $$
#
# **On paper.** Once more $x = (1, 2)$, $w = (3, -1)$, $b = 0.5$, with the target $t = 2$ and $\eta = 0.1$. What are the
# gradients, and what are the weights and the bias after the step? PyTorch works out gradients by itself, which is called
# **autograd**: `backward` goes from the loss back to every tensor with `requires_grad=True`, and leaves it in `.grad`.

# %%
w = torch.tensor([3.0, -1.0], requires_grad=True)
b = torch.tensor(0.5, requires_grad=True)
loss = ((inputs * w).sum() + b - 2.0) ** 2
loss.backward()
print("loss:", loss.item())
print("gradients:", w.grad.tolist(), b.grad.item())

with torch.no_grad():  # the step itself is no part of what is differentiated
    w_new, b_new = w - 0.1 * w.grad, b - 0.1 * b.grad
    loss_new = ((inputs * w_new).sum() + b_new - 2.0) ** 2
print("after the step:", [round(number, 4) for number in w_new.tolist()], round(b_new.item(), 4))
print("loss after the step:", round(loss_new.item(), 4))

# %% [markdown]
# **Your turn.** Write that step by hand, without autograd.


# %% nbgrader={"grade": false, "grade_id": "gradient_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_step(weights, bias, inputs, target, lr):
    """Return (weights, bias) of a neuron after one step of gradient descent.

    The loss is (output - target) ** 2. weights, inputs: tensors of shape (d,).
    bias, target: tensors of shape (). lr: a number, the learning rate.
    """
    ### BEGIN SOLUTION
    error = (inputs * weights).sum() + bias - target
    return weights - lr * 2 * error * inputs, bias - lr * 2 * error
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gradient_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(gradient_step, points=4)
### BEGIN HIDDEN TESTS
check(gradient_step, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# That is all of learning. A network has millions of weights in place of three numbers, and its loss says how wrong it is
# on a whole batch of pictures. But training is this step, again and again: *forward* to the loss, *backward* to the
# gradients, then a step. (Some tutorials say *training* when they only send pictures through a layer. That changes no
# weight, so nothing is learned.)

# %% [markdown]
# ## A first look at TensorBoard
#
# TensorBoard shows what happens in a program: numbers as curves, pictures, and more. The program writes **event files**
# into a folder, with PyTorch's `SummaryWriter`; TensorBoard reads them. Each entry has a **tag**, which names the series,
# and a **step**, which says where in the series it belongs.
#
# Four batches before and after normalising, by a tool of this course (`scale="batch"` says that the darkest and brightest
# number of each batch become black and white, since a picture has no negative brightness):

# %%
folder = board.run("00_start")
test_batches = list(pictures.batches(64, limit=4))
shift, divide = mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1)
board.log_layer("normalised", lambda batch: (batch - shift) / divide, test_batches, folder=folder, scale="batch")
for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:17} steps {list(steps)}, each a picture of shape {tuple(steps[0].shape)}")

# %%
board.show(folder)

# %% [markdown]
# Look under *Images*, and move the slider above a picture: it goes through the steps. In a project of your own you would
# write it like this, which logs the pictures of each batch:
#
# ```python
# from torch.utils.tensorboard import SummaryWriter
#
# with SummaryWriter(folder) as writer:
#     for step, (images, labels) in enumerate(batches):
#         writer.add_images("input", images, global_step=step)
# ```
#
# The `with` closes the writer at the end. Until then, some of it may not be on disk.

# %% [markdown]
# ## What global_step is
#
# `global_step` is the place on TensorBoard's horizontal axis. In the loop above it is the number of the batch. When you go
# through the data a second time (a second *epoch*), it has to go on counting: that's why it is called *global*. Two
# entries with the same tag and step hide each other.

# %%
starts_over, goes_on = board.run("00_starts_over"), board.run("00_goes_on")
with board.writer(starts_over) as wrong, board.writer(goes_on) as right:
    step = 0
    for epoch in range(2):
        for batch_number, (batch, _) in enumerate(pictures.batches(64, limit=5)):
            wrong.add_scalar("brightness", batch.mean().item(), global_step=batch_number)
            right.add_scalar("brightness", batch.mean().item(), global_step=step)
            step += 1
for name, run in {"starts over": starts_over, "goes on": goes_on}.items():
    print(f"{name:11} steps {list(board.read(run).scalars['brightness'])}")

# %% [markdown]
# **Your turn.** Log the pictures of the first batch, and one number for every batch: how bright it is, which is the mean of
# all its pixels. `writer.add_scalar(tag, number, step)` logs a number.


# %% nbgrader={"grade": false, "grade_id": "log_first_batch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_first_batch(folder, batches):
    """Log the first batch's pictures, and the brightness of every batch.

    folder: where the event file goes.
    batches: pairs (images, labels) with images of shape (N, 3, H, W).
    The pictures of the first batch have the tag "input" and step 0. The mean over all pixels
    of a batch has the tag "brightness", with steps 0, 1, 2 and so on. Returns nothing.
    """
    from torch.utils.tensorboard import SummaryWriter

    ### BEGIN SOLUTION
    with SummaryWriter(folder) as writer:
        for step, (images, labels) in enumerate(batches):
            if step == 0:
                writer.add_images("input", images, step)
            writer.add_scalar("brightness", images.mean(), step)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_log_first_batch", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(log_first_batch, points=4)
### BEGIN HIDDEN TESTS
check(log_first_batch, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# An article explains training with a function of this kind, to be called for each batch:
#
# ```python
# loss.backward()
# with torch.no_grad():
#     for parameter in parameters:
#         parameter -= learning_rate * parameter.grad
# ```
#
# It looks just like the step above, and the first step is right. Here it is for eight steps, with the numbers from before:

# %%
parameters = [torch.tensor([3.0, -1.0], requires_grad=True), torch.tensor(0.5, requires_grad=True)]
losses, gradients = [], []
for _ in range(8):
    loss = ((inputs * parameters[0]).sum() + parameters[1] - 2.0) ** 2
    loss.backward()
    with torch.no_grad():
        for parameter in parameters:
            parameter -= 0.1 * parameter.grad
    losses.append(loss.item())
    gradients.append(parameters[1].grad.item())
print("loss:                ", " ".join(f"{number:6.3f}" for number in losses))
print("gradient of the bias:", " ".join(f"{number:6.3f}" for number in gradients))

# %% [markdown]
# The loss falls once and then will not settle. Compute the second gradient by hand: after the first step the output is 2.1,
# so that it should be $2 \cdot (2.1 - 2) = 0.2$. The printed one is $-1 + 0.2$.
#
# A `.grad` is empty, which Python calls `None`, until `backward` has filled it; `parameter.grad = None` empties it again. And
# under `torch.no_grad()`, `-=` changes the tensor itself, whereas `w = w - ...` makes a new one that autograd doesn't follow.
#
# **Your turn.** What does `backward` do with a `.grad` that already holds something? Write the loop with the bug mended. The
# tensors that are given have to stay as they are: begin with `weights.clone().requires_grad_()`, and likewise for the bias.


# %% nbgrader={"grade": false, "grade_id": "mend_descent", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_descent(weights, bias, inputs, target, lr, steps):
    """Return (weights, bias) of a neuron after several steps of gradient descent.

    The loss is (output - target) ** 2, and each step goes by the gradient at the point where
    it starts. weights, inputs: tensors of shape (d,). bias, target: tensors of shape ().
    lr: the learning rate. steps: how many. Autograd may be used.
    """
    ### BEGIN SOLUTION
    parameters = [weights.clone().requires_grad_(), bias.clone().requires_grad_()]
    for _ in range(steps):
        loss = ((inputs * parameters[0]).sum() + parameters[1] - target) ** 2
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= lr * parameter.grad
                parameter.grad = None
    return parameters[0].detach(), parameters[1].detach()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_descent", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(mend_descent, points=3)
### BEGIN HIDDEN TESTS
check(mend_descent, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# Somebody trains a network for three epochs and logs the loss with `writer.add_scalar("loss", loss, batch_number)`, where
# `batch_number` begins at 0 in each epoch. The pictures come from files as (N, H, W, C) and are brought into the right
# *shape* with `reshape(-1, 3, 32, 32)`. Nothing raises an error. What does TensorBoard show, and what does the network get
# to see? Say for each what is wrong, how one could notice it, and how to mend it.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_start", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The steps repeat in each epoch, so that three numbers share each step: the curve goes back to the start twice, or only the
# last epoch is seen. One notices it at the number of steps, which is that of one epoch. A counter that goes on over all
# epochs, such as epoch * batches + batch_number, mends it. reshape leaves the numbers in the order of the file, where the
# colours of a pixel lie side by side, so that the three "channels" are three bands of the picture with the colours mixed up
# in them. One sees it by looking at the pictures, for instance in TensorBoard. permute(0, 3, 1, 2) moves the dimensions. (One
# point for each mistake, one for how to notice both, one for both remedies.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **Cells run in the order in which you run them.** After editing an answer, run its cell before the check.
# - **`NameError: name '...' is not defined`**: a cell further up wasn't run, or the kernel was restarted: *Kernel → Restart
#   Kernel and Run up to Selected Cell*. Or a text lacks its quotation marks: then Python takes it for a name.
# - **`reshape` is not `permute`.** The shape can be right and the picture torn.
# - **Broadcasting lines up from the right.** A tensor of shape (3,) meets the width, not the channels.
# - **Bytes divided with `//`** are nearly all 0.
# - **`backward` adds to `.grad`.** Empty it before the next step.
# - **Downhill is minus.** A step along the gradient makes the loss larger.
# - **The same tag and step twice**, and one of the two is not seen. Let `global_step` go on over the epochs.
# - **A writer that isn't closed** may not have written everything.

# %% [markdown]
# ## Summary
#
# | | |
# |---|---|
# | neuron | $z = \sum_i w_i x_i + b$ |
# | loss | how wrong: here $(z - t)^2$ |
# | gradient | how fast the loss grows with each weight: here $2 (z - t)\, x_i$ |
# | step | weight minus learning rate times gradient |
# | NCHW | images, channels, height, width |
# | from files | `permute(0, 3, 1, 2)`, `float()`, divided by 255 |
# | normalised | minus the mean, divided by the standard deviation, channel by channel |
# | tag | names a series in TensorBoard |
# | `global_step` | the place in it: batches so far, over all epochs |
#
# What comes next, in short. A **convolutional network** (CNN) finds patterns in pictures, and in video, sound, text or
# medical scans. It slides small windows over its input (*convolution*, chapter 02), bends (*activations*, chapter 01),
# makes the picture smaller (*pooling*, chapter 04), and decides at the end (*linear layers*, chapter 05); chapter 03 leads
# back up to large pictures, and in chapter 06 all of it learns together.

# %% [markdown]
# ## Where to read on
#
# - Rosenblatt: *The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain*, 1958.
# - Rumelhart, Hinton and Williams: *Learning Representations by Back-Propagating Errors*, 1986.
# - Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*, 2009 (where CIFAR-10 comes from).
# - LeCun, Bottou, Orr and Müller: *Efficient BackProp*, 1998 (why inputs are normalised).
# - Paszke and others: *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, 2019.

# %% [markdown]
# How far you have come, in this chapter and in all of them, is for `progress()` to say. It counts what your checks have
# found, keeps that on this computer, and sends it nowhere.

# %%
progress()
