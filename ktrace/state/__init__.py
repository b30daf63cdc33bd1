"""What a kernel looks like at rest: plain frozen values, built by ``inspect`` and by ``model`` alike."""
