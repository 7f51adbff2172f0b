# Tests written in Python. They run in the environment that
# tools/dev/python-env makes; tools/dev/check makes it and passes its
# interpreter. Without an interpreter they are not registered.
set(VAEC_TEST_PYTHON "" CACHE FILEPATH
    "Interpreter of the tests written in Python (tools/dev/python-env makes build/venv/bin/python)")

if(VAEC_TEST_PYTHON AND NOT EXISTS "${VAEC_TEST_PYTHON}")
  message(FATAL_ERROR "VAEC_TEST_PYTHON names no file: ${VAEC_TEST_PYTHON}; run tools/dev/python-env")
elseif(NOT VAEC_TEST_PYTHON AND VAEC_BUILD_TESTS)
  message(STATUS "VAEC_TEST_PYTHON is not set: tests written in Python are left out")
endif()

# vaec_add_python_test(name script [arguments...])
# A ctest test that runs `script`, a path relative to the caller's folder. It
# may import the modules beside it, and uses one thread unless it asks for more.
function(vaec_add_python_test name script)
  if(NOT VAEC_TEST_PYTHON)
    return()
  endif()
  get_filename_component(path ${script} ABSOLUTE)
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "test ${name}: ${path} does not exist")
  endif()
  add_test(NAME ${name} COMMAND ${VAEC_TEST_PYTHON} -B ${path} ${ARGN})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1" LABELS python TIMEOUT 600)
endfunction()
