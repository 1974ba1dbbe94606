# SPDX-License-Identifier: MIT
# NumPy and gradus read each other's memory: python3 with_numpy.py <the library made of with_numpy.cpp>
import ctypes
import sys

try:
    import numpy
    numpy.from_dlpack
except (ImportError, AttributeError):
    sys.exit("NumPy 1.22 or later is not installed: not tested")

library = ctypes.CDLL(sys.argv[1])
python = ctypes.pythonapi
library.why.restype = ctypes.c_char_p
python.PyCapsule_New.restype = ctypes.py_object
python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
python.PyCapsule_GetPointer.restype = ctypes.c_void_p
python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
python.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]
FULL, EMPTY = b"dltensor", b"used_dltensor"  # a capsule's name says whether the tensor is still in it


class Result:
    """A tensor of gradus', as numpy.from_dlpack asks for it."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack_device__(self):
        return 1, 0  # the CPU

    def __dlpack__(self, **_):
        return python.PyCapsule_New(self.tensor, FULL, None)


def call(name, array):
    function = library[name]
    function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    capsule = array.__dlpack__()
    result = function(python.PyCapsule_GetPointer(capsule, FULL))
    if not result:
        raise ValueError(library.why().decode())  # the tensor is still in the capsule, which gives it back
    python.PyCapsule_SetName(capsule, EMPTY)
    return numpy.from_dlpack(Result(result))


def address(array):
    return array.__array_interface__["data"][0]


def expect(is_so, what):
    if not is_so:
        sys.exit("with_numpy.py: " + what)


def refusal(name, array):
    owners, said = sys.getrefcount(array), "no error"
    try:
        call(name, array)
    except ValueError as error:
        said = str(error)
    expect(sys.getrefcount(array) == owners, "what was refused is kept, or was given back twice")
    return said


# out of NumPy, into gradus, and back: NumPy's memory all the way, and NumPy's again in the end
x = numpy.arange(24.0).reshape(2, 3, 4)
for part in (x, x[1], x[1:, 2:], x[0, 0, 3:], x[:0], numpy.array(7.5)):
    owners = sys.getrefcount(part)
    y = call("same", part)
    expect(y.shape == part.shape and y.dtype == part.dtype, "another shape or type")
    expect((y == part).all(), "other numbers")
    expect(part.size == 0 or address(y) == address(part), "a copy was made")
    expect(sys.getrefcount(part) == owners + 1, "the memory is not kept, or more than once")
    del y
    expect(sys.getrefcount(part) == owners, "the memory is not given back once")

# gradus' memory, read by NumPy
y = call("tanh_of", x)
expect(numpy.allclose(y, numpy.tanh(x), rtol=1e-14, atol=0), "another tanh")
expect(address(y) != address(x), "the result overwrites the operand")

# one byte a bool
try:
    expect(call("turned_to_bool", numpy.array([3, 0, -1], numpy.int32)).tolist() == [True, False, True], "other bools")
except (BufferError, RuntimeError):
    expect(numpy.lib.NumpyVersion(numpy.__version__) < "1.25.0", "no bools")  # it took none before

# what is refused is still NumPy's
said = refusal("same", x.T)
expect(said == "from_dlpack: axis 0 of the tensor [4, 3, 2] has stride 1; row-major it must be 6 "
       "(a contiguous copy has it)", said)
said = refusal("same", x.astype(numpy.float32))
expect(said == "from_dlpack: the tensor holds float32; asked for is float64", said)
said = refusal("same", x.astype(numpy.complex128))
expect(said == "from_dlpack: the tensor holds complex128; asked for is float64", said)
said = refusal("same", numpy.zeros([1] * 7))
expect(said == "from_dlpack: the tensor has 7 axes; 0 to 6 are possible", said)

print("gradus and NumPy", numpy.__version__)
