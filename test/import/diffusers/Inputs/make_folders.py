# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes folders as diffusers saves them, good and bad ones, into a folder."""
import copy
import json
import os
import struct
import sys

CONFIG = {
    "_class_name": "AutoencoderTiny", "_diffusers_version": "0.42.0",
    "in_channels": 1, "out_channels": 1, "latent_channels": 2, "scaling_factor": 1.0,
    "encoder_block_out_channels": [2], "decoder_block_out_channels": [2],
    "num_encoder_blocks": [0], "num_decoder_blocks": [0],
}
TENSORS = {"encoder.layers.0.weight": [2, 1, 3, 3], "encoder.layers.0.bias": [2],
           "encoder.layers.1.weight": [2, 2, 3, 3], "encoder.layers.1.bias": [2],
           "decoder.layers.0.weight": [2, 2, 3, 3], "decoder.layers.0.bias": [2],
           "decoder.layers.2.weight": [1, 2, 3, 3], "decoder.layers.2.bias": [1]}
NAME = "diffusion_pytorch_model"


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def safetensors(tensors):
    header, offset = {}, 0
    for name, shape in tensors.items():
        end = offset + 4 * count(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def save(folder, config=None, tensors=None, weights=NAME + ".safetensors"):
    os.makedirs(folder)
    if config is not False:
        with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
            file.write(config if isinstance(config, str) else json.dumps(config or CONFIG, indent=2))
    if weights:
        with open(f"{folder}/{weights}", "wb") as file:
            file.write(safetensors(tensors or TENSORS))


def changed(**keys):
    config = copy.deepcopy(CONFIG)
    config.update(keys)
    return {key: value for key, value in config.items() if value is not None}


def save_shards(folder, files):
    """An index that says that the tensors lie in `files`, the first of which is there."""
    save(folder, weights=files[0])
    names = list(TENSORS)
    index = {"weight_map": {name: files[i * len(files) // len(names)] for i, name in enumerate(names)}}
    with open(f"{folder}/{NAME}.safetensors.index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)


def main():
    os.chdir(sys.argv[1])
    save("good")
    save("variant", weights=NAME + ".fp16.safetensors")
    save("extra", tensors={**TENSORS, "decoder.unused.weight": [3]})
    save("no-config", config=False)
    save("pipeline", config=False)
    os.makedirs("pipeline/vae")
    with open("pipeline/model_index.json", "w", encoding="utf-8") as file:
        file.write("{}")
    save("bad-json", config='{\n  "_class_name": ')
    save("no-class", config=changed(_class_name=None))
    save("other-class", config=changed(_class_name="AutoencoderKLMochi"))
    save("misspelt", config=changed(latent_chanels=2))
    save("bad-blocks", config=changed(num_encoder_blocks=[1, 2]))
    save("bad-type", config=changed(_class_name="AutoencoderKL", encoder_block_out_channels=None,
                                    decoder_block_out_channels=None, num_encoder_blocks=None,
                                    num_decoder_blocks=None, block_out_channels=[32],
                                    down_block_types=["DownBlock2D"]))
    save("no-weights", weights=None)
    save("pickled", weights=NAME + ".bin")
    save("two-variants", weights=NAME + ".fp16.safetensors")
    with open(f"two-variants/{NAME}.ema.safetensors", "wb") as file:
        file.write(safetensors(TENSORS))
    save("missing", tensors={name: shape for name, shape in TENSORS.items() if name != "decoder.layers.2.bias"})
    save("contradiction", tensors={**TENSORS, "encoder.layers.0.weight": [2, 3, 3, 3]})
    save_shards("missing-shard", ["a.safetensors", "b.safetensors"])
    save_shards("traversal", ["a.safetensors", "../good/" + NAME + ".safetensors"])


if __name__ == "__main__":
    main()
