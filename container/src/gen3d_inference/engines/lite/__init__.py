"""The lite engine: three small networks on onnxruntime, for any CPU."""
