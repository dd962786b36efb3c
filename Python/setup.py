"""The version is the tools'; a wheel that holds them (Scripts/package) says on which systems they run."""
import os
import pathlib
import re

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

HERE = pathlib.Path(__file__).resolve().parent


def version() -> str:
    if "FILIGREE_VERSION" in os.environ:
        return os.environ["FILIGREE_VERSION"]
    source = HERE.parent / "Sources" / "CommandSupport" / "Tool.swift"
    return re.search(r'filigreeVersion = "([^"]+)"', source.read_text())[1]


class Package(Distribution):
    """With the tools inside it belongs where compiled modules do."""

    def has_ext_modules(self):
        return (HERE / "src" / "filigree" / "bundle").exists()


class Wheel(bdist_wheel):
    """Any Python 3, but only Linux with at least the glibc that the tools ask for."""

    def get_tag(self):
        if self.root_is_pure:
            return super().get_tag()
        return "py3", "none", f"manylinux_{os.environ['FILIGREE_GLIBC']}_x86_64"


setup(version=version(), distclass=Package, cmdclass={"bdist_wheel": Wheel})
