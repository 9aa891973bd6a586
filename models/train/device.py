"""Where training computes: on a CUDA GPU where there is one, else on the CPU; the same code."""

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.backends.cudnn.benchmark = True
torch.backends.cudnn.benchmark_limit = 3  # ways to convolve that are tried: more take longer than they save
torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cudnn.allow_tf32 = True


def half_precision() -> torch.autocast:
    """Convolutions and products in bfloat16."""
    return torch.autocast(DEVICE.type, torch.bfloat16)


def seeded(seed: int) -> torch.Generator:
    """Chance of its own on the device, the same in every run."""
    return torch.Generator(DEVICE).manual_seed(seed)


def compiled(network: torch.nn.Module) -> torch.nn.Module:
    """The same network; on a GPU its forward pass is compiled, which spares a third of a step's time."""
    if DEVICE.type != "cpu":
        network.forward = torch.compile(network.forward)  # type: ignore[method-assign]
    return network
