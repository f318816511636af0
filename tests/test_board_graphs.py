"""Graphs and embeddings of nets: logged, and read back."""

import warnings

import pytest
import torch
from torch import nn

from tutor import board
from tutor.board import BoardError, Node

IMAGES = torch.zeros(2, 3, 8, 8)


def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


def test_the_operations_of_a_graph_come_back_in_order_with_their_shapes(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        board.log_graph(net(), IMAGES, folder=tmp_path)
    assert board.graph(tmp_path) == [
        Node("Sequential/Conv2d[0]", "convolution", (2, 4, 6, 6)),
        Node("Sequential/ReLU[1]", "relu", (2, 4, 6, 6)),
        Node("Sequential/Flatten[2]", "flatten", (2, 144)),
        Node("Sequential/Linear[3]", "linear", (2, 5)),
    ]


def test_logging_a_graph_leaves_the_model_in_its_mode(tmp_path):
    for mode in (True, False):
        model = nn.Sequential(nn.BatchNorm2d(3)).train(mode)
        board.log_graph(model, IMAGES + 1, folder=tmp_path)
        assert model.training is mode
        assert torch.equal(model[0].running_mean, torch.zeros(3)), "and doesn't count as training"


def test_what_is_no_module_or_holds_no_graph_is_said_in_a_sentence(tmp_path):
    with pytest.raises(BoardError, match="The model is of type function; give a module"):
        board.log_graph(lambda x: x, IMAGES, folder=tmp_path)
    with board.writer(tmp_path) as writer:
        writer.add_scalar("loss", 1.0, 0)
    with pytest.raises(BoardError, match=r"No graph was logged in .*; log one with board.log_graph"):
        board.graph(tmp_path)
    with pytest.raises(BoardError, match="There is no log folder"):
        board.graph(tmp_path / "none")


def test_embeddings_come_back_by_tag_and_step(tmp_path):
    vectors = torch.arange(6.0).view(3, 2) / 4
    with board.writer(tmp_path) as writer:
        writer.add_embedding(vectors, ["cat", "dog", "cat"], torch.rand(3, 3, 4, 4), global_step=1, tag="hidden")
        writer.add_embedding(-vectors, global_step=2, tag="hidden")
    found = board.embeddings(tmp_path)
    assert list(found) == ["hidden"] and list(found["hidden"]) == [1, 2]
    assert torch.equal(found["hidden"][1].vectors, vectors.double())
    assert found["hidden"][1].labels == ("cat", "dog", "cat") and found["hidden"][1].pictures
    assert torch.equal(found["hidden"][2].vectors, -vectors.double())
    assert found["hidden"][2].labels == () and not found["hidden"][2].pictures


def test_missing_embeddings_are_said_in_a_sentence(tmp_path):
    with pytest.raises(BoardError, match="No embedding was logged in"):
        board.embeddings(tmp_path)
    with board.writer(tmp_path) as writer:
        writer.add_embedding(torch.ones(2, 2), tag="hidden")
    next(tmp_path.rglob("tensors.tsv")).unlink()
    with pytest.raises(BoardError, match=r"The embedding 'hidden' .* can't be read .*; log it once more"):
        board.embeddings(tmp_path)


def test_embeddings_have_a_tab_of_their_own(tmp_path):
    with board.writer(tmp_path / "one") as writer:
        writer.add_embedding(torch.ones(2, 2), tag="hidden")
    assert repr(board.show(tmp_path / "one", tab="projector")) == "TensorBoard: projector of run 'one'"
