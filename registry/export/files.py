"""ONNX graphs on disk: read without their weights, edited, written with one weights file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.manifest import MODEL, WEIGHTS

CONTRIB = "com.microsoft"
SMALLEST_EXTERNAL = 1024
"""Bytes; smaller tensors stay in model.onnx."""
PAGE = 4096
"""Bytes; large tensors begin at one, so that a row of embeddings touches as few as it can."""
ALIGNMENT = 64
"""Bytes, of smaller ones."""
MATRIX = 2
"""Dimensions."""

Array = NDArray[Any]
Node = Any
"""An onnx.NodeProto, which has no types."""
NOTHING: Mapping[str, Array] = {}


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph whose large tensors lie in the weights file of `folder`, and are read one by one."""

    model: Any
    folder: Path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `model.onnx`, and nothing of `model.bin`."""
        import onnx  # noqa: PLC0415  (heavy)

        return cls(onnx.load(folder / MODEL, load_external_data=False), folder)

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return next(int(used.version) for used in self.model.opset_import if not used.domain)

    def tensors(self) -> dict[str, Any]:
        """Return the constants by name."""
        return {tensor.name: tensor for tensor in self.model.graph.initializer}

    def array(self, tensor: Any) -> Array:  # noqa: ANN401  (a TensorProto)
        """Return the values of a constant: mapped, where it lies in the weights file."""
        from onnx import helper, numpy_helper  # noqa: PLC0415  (heavy)

        if not tensor.external_data:
            return np.asarray(numpy_helper.to_array(tensor))
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        place, start, _ = _place(tensor)
        return np.memmap(self.folder / place, kind, "r", start, tuple(tensor.dims))

    def products(self) -> list[Node]:
        """Return the matrix products whose right side is a constant matrix."""
        tensors = self.tensors()
        return [
            node
            for node in self.model.graph.node
            if node.op_type == "MatMul"
            and node.input[1] in tensors
            and len(tensors[node.input[1]].dims) == MATRIX
        ]

    def lookups(self) -> list[Node]:
        """Return the look-ups in constant tables that lie in the weights file."""
        tensors = self.tensors()
        return [
            node
            for node in self.model.graph.node
            if node.op_type == "Gather"
            and node.input[0] in tensors
            and len(tensors[node.input[0]].dims) == MATRIX
            and tensors[node.input[0]].external_data
        ]

    def save(self, folder: Path, contents: Mapping[str, Array] = NOTHING) -> None:
        """Write `model.onnx` and `model.bin`; the graph itself is used up.

        `contents` gives the values of constants that are neither in the graph nor in its folder.
        """
        import onnx  # noqa: PLC0415  (heavy)

        with (folder / WEIGHTS).open("wb") as file:
            for tensor in self.model.graph.initializer:
                content = contents.get(tensor.name)
                if content is not None or _is_large(tensor):
                    _move(tensor, self._bytes(tensor) if content is None else content.data, file)
        partial = folder / f".{MODEL}.partial"
        onnx.save_model(self.model, partial)
        partial.replace(folder / MODEL)

    def _bytes(self, tensor: Any) -> Any:  # noqa: ANN401
        if not tensor.external_data:
            return tensor.raw_data
        place, start, length = _place(tensor)
        return np.memmap(self.folder / place, np.uint8, "r", start, (length,)).data


def _is_large(tensor: Any) -> bool:  # noqa: ANN401
    return bool(tensor.external_data) or len(tensor.raw_data) >= SMALLEST_EXTERNAL


def _move(tensor: Any, content: Any, file: BinaryIO) -> None:  # noqa: ANN401
    """Append the bytes of a tensor to a file, and say in the tensor where they are."""
    length = memoryview(content).nbytes
    file.write(bytes(-file.tell() % (PAGE if length >= PAGE else ALIGNMENT)))
    place = {"location": WEIGHTS, "offset": str(file.tell()), "length": str(length)}
    file.write(content)
    tensor.ClearField("raw_data")
    tensor.ClearField("external_data")
    tensor.data_location = tensor.EXTERNAL
    for key, value in place.items():
        tensor.external_data.add(key=key, value=value)


def _place(tensor: Any) -> tuple[str, int, int]:  # noqa: ANN401
    """Return file, first byte and number of bytes of a tensor that is not in the graph."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    return told["location"], int(told.get("offset", 0)), int(told.get("length", 0))


@dataclass
class Edit:
    """What is to be put in the place of some nodes, by the name of their first output."""

    nodes: dict[str, list[Node]] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)

    def constant(self, name: str, value: ArrayLike, kind: Any = None) -> str:  # noqa: ANN401
        """Add a constant and return its name; the same name must mean the same values."""
        self.constants[name] = np.ascontiguousarray(value, dtype=kind)
        return name

    def applied(self, graph: Graph) -> Graph:
        """Return the edited graph, without the constants that nothing takes any more."""
        from onnx import helper, numpy_helper  # noqa: PLC0415  (heavy)

        model = type(graph.model)()
        model.CopyFrom(graph.model)
        nodes = list(self._nodes(graph))
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        kept = [tensor for tensor in graph.model.graph.initializer if tensor.name in used]
        new = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        del model.graph.initializer[:]
        model.graph.initializer.extend(kept + new)
        if all(known.domain != CONTRIB for known in model.opset_import):
            model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        return Graph(model, graph.folder)

    def _nodes(self, graph: Graph) -> Iterator[Node]:
        for node in graph.model.graph.node:
            yield from self.nodes.get(node.output[0], [node])


def by_input(nodes: list[Node]) -> Mapping[str, list[Node]]:
    """Return nodes by what they are given, in the order of the graph."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.input[0], []).append(node)
    return groups
