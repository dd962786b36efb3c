"""Data and a small model that most tests share."""

import os
import pathlib

import pytest

import filigree

ROOT = pathlib.Path(os.environ.get("FILIGREE_ROOT", pathlib.Path(__file__).resolve().parents[2]))


@pytest.fixture(scope="session")
def data():
    return filigree.simulate("duffing", trajectories=4, samples=400)


@pytest.fixture(scope="session")
def model(data):
    return filigree.train(data, members=2, steps=300)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def built():
    """The tools as they were built, apart from those in the package."""
    folder = os.environ.get("FILIGREE_BUILT") or os.environ.get("FILIGREE_TOOLS")
    if not folder:
        pytest.skip("FILIGREE_BUILT names no folder of built tools")
    return pathlib.Path(folder)
