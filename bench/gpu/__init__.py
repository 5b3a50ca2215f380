"""How fast the sam engine prepares photos: ``python -m bench.gpu``, on a GPU."""
