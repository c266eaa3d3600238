# Writes peer.safetensors with the reference implementation: python3 peer.py (safetensors 0.8.0, numpy 2.4.6).
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "conv1/w": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "conv1/b": np.array([-1.5, np.inf, 5e-324]),
        "ids": np.array([[-1], [2147483647]], dtype=np.int32),
        "steps": np.array([-(2**63), 2**63 - 1]),
        "bytes": np.array([0, 255, 7], dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "half": np.array([1.0, -2.0, 65504.0], dtype=np.float16),
        "scalar": np.array(3.25, dtype=np.float32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        'name "ü"\n': np.array([1], dtype=np.uint8),
    },
    "peer.safetensors",
    metadata={"made by": "safetensors 0.8.0, peer.py", "quote": 'a "b" \\ ü'},
)
