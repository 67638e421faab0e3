"""The same work on many machines: bundles of exports are tasks of Dask."""
