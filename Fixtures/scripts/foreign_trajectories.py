"""Small netCDF files as other programs write them, and some that no program should.

The numbers are simple functions of trajectory i and sample k, so that tests can state them again.

    python -B foreign_trajectories.py
"""

import netCDF4
import numpy as np
from fixture_json import FIXTURES

FOLDER = FIXTURES / "trajectories"
TRAJECTORIES, SAMPLES, STEP = 2, 4, 0.5
SHAPE = (TRAJECTORIES, SAMPLES)
NUMBERS = np.fromfunction(lambda i, k: 10 * i + k, SHAPE)


def create(name, format="NETCDF4", dimensions=("trajectory", "time"), sizes=SHAPE, times=None):
    """A data set with dimensions and a time axis; time unlimited where its size is None."""
    data = netCDF4.Dataset(FOLDER / name, "w", format=format)
    for dimension, size in zip(dimensions, sizes):
        data.createDimension(dimension, size)
    time = data.createVariable("time", "f8", ("time",))
    time.units = "s"
    if times is None:
        times = np.arange(sizes[dimensions.index("time")] or SAMPLES) * STEP
    time[:] = times
    return data


def variable(data, name, kind="f8", role="state", dimensions=("trajectory", "time"), **options):
    result = data.createVariable(name, kind, dimensions, **options)
    if role is not None:
        result.role = role
    return result


def packed():
    """Values are packed * scale_factor + add_offset; fill values only beyond the length of a trajectory."""
    with create("packed.nc") as data:
        length = data.createVariable("length", "i4", ("trajectory",))
        length[:] = [4, 2]
        x = variable(data, "temperature", "i2", fill_value=-32767)
        x.scale_factor, x.add_offset, x.units = 0.5, 950.0, "degC"
        u = variable(data, "current", "f4", role="input")
        u.scale_factor, u.add_offset, u.units = 1000.0, 0.25, "A"
        values = NUMBERS.copy()
        values[1, 2:] = -32767
        data.set_auto_maskandscale(False)
        x[:] = values.astype("i2")
        u[:] = NUMBERS.astype("f4")
        data.source = "a logger"


def one_dimension():
    with create("one_dimension.nc", dimensions=("time",), sizes=(SAMPLES,)) as data:
        variable(data, "x", dimensions=("time",))[:] = NUMBERS[1]
        variable(data, "u", role="input", dimensions=("time",))[:] = -NUMBERS[1]


def unlimited_classic():
    """NetCDF 3 with a record dimension, roles as plain text, floats of four bytes."""
    with create("classic.nc", "NETCDF3_CLASSIC", ("time",), (None,)) as data:
        variable(data, "x", "f4", dimensions=("time",))[:] = NUMBERS[1]


def plain(name, **options):
    with create(name, **options) as data:
        variable(data, "x")[:] = NUMBERS


def unequal_steps():
    plain("unequal_steps.nc", times=[0, 0.5, 1.0, 1.6])


def without_roles():
    with create("without_roles.nc") as data:
        variable(data, "x", role=None)[:] = NUMBERS


def fill_inside():
    with create("fill_inside.nc") as data:
        values = NUMBERS.copy()
        values[1, 2] = -999
        x = variable(data, "x", fill_value=-999.0)
        x.set_auto_mask(False)
        x[:] = values


def unknown_role():
    with create("unknown_role.nc") as data:
        variable(data, "x")[:] = NUMBERS
        variable(data, "wind", role="disturbance")[:] = NUMBERS


def transposed():
    with create("transposed.nc") as data:
        variable(data, "x", dimensions=("time", "trajectory"))[:] = NUMBERS.T


def mixed_shapes():
    with create("mixed_shapes.nc") as data:
        variable(data, "x")[:] = NUMBERS
        variable(data, "u", role="input", dimensions=("time",))[:] = NUMBERS[0]


def long_length():
    with create("long_length.nc") as data:
        data.createVariable("length", "i8", ("trajectory",))[:] = [4, 5]
        variable(data, "x")[:] = NUMBERS


def text_values():
    with create("text_values.nc") as data:
        variable(data, "x", str)[:] = np.full(SHAPE, "one", object)


def without_time():
    with netCDF4.Dataset(FOLDER / "without_time.nc", "w") as data:
        for dimension, size in zip(("trajectory", "time"), SHAPE):
            data.createDimension(dimension, size)
        variable(data, "x")[:] = NUMBERS


def one_sample():
    with create("one_sample.nc", sizes=(TRAJECTORIES, 1)) as data:
        variable(data, "x")[:] = NUMBERS[:, :1]


def units_of_time():
    for unit in ("hours", "fortnights"):
        with create(f"{unit}.nc") as data:
            data["time"].units = unit
            variable(data, "x")[:] = NUMBERS


def forged_size():
    """Claims 10^12 numbers that are not there."""
    with create("forged_size.nc", sizes=(10**9, 1000), times=np.arange(1000)) as data:
        variable(data, "x", chunksizes=(1, 1000))


def main():
    FOLDER.mkdir(exist_ok=True)
    for make in (packed, one_dimension, unlimited_classic, unequal_steps, without_roles, fill_inside, unknown_role,
                 transposed, mixed_shapes, long_length, text_values, without_time, one_sample, units_of_time,
                 forged_size):
        make()
    for file in sorted(FOLDER.glob("*.nc")):
        size = file.stat().st_size
        assert size < 30000, file
        print(f"{file.name}: {size} bytes")


if __name__ == "__main__":
    main()
