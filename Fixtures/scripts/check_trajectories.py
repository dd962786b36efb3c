"""Opens a netCDF file with xarray and prints what it found as a JSON object.

    python check_trajectories.py FILE.nc

Mean and (population) standard deviation are over the valid values: fill values and NaN are left
out. Variables that are not numbers have neither.
"""

import json
import sys

import numpy as np
import xarray


def plain(value):
    """Attributes as JSON holds them; what is not finite becomes a string."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def describe(variable):
    number = variable.dtype.kind in "iuf"
    dtype = str(variable.encoding.get("dtype", variable.dtype)) if number else "string"
    result = {"dims": list(variable.dims), "dtype": dtype}
    result |= {key: plain(variable.attrs.get(key)) for key in ("units", "long_name", "role")}
    result |= {"valid": None, "mean": None, "std": None}
    if number:
        values = variable.values.astype(np.float64)
        values = values[np.isfinite(values)]
        result["valid"] = values.size
        if values.size:
            result |= {"mean": float(values.mean()), "std": float(values.std())}
    return result


def main(path):
    with xarray.open_dataset(path, engine="netcdf4", decode_times=False) as data:
        print(json.dumps({
            "dims": dict(data.sizes),
            "order": [str(name) for name in data.data_vars],
            "coordinates": {str(name): describe(v) for name, v in data.coords.items()},
            "variables": {str(name): describe(v) for name, v in data.data_vars.items()},
            "attributes": {key: plain(v) for key, v in data.attrs.items()},
        }, indent=1, sort_keys=True, allow_nan=False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
