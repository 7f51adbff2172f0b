# Installs the runtime into a prefix of its own, builds stranger.c against it,
# with find_package and with pkg-config, and runs it on a model.
# With VAEC, also on one that the compiler makes.
# cmake -DBUILD=... -DSOURCE=... -DWORK=... -DMODEL=... -DCC=... -DCXX=... -DFLAGS=... -DLIBDIR=... [-DVAEC=...]
#   -P Install.cmake
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${result}\n${output}\n${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_stranger program)
  run(${program} ${MODEL})
  if(NOT output STREQUAL "toy reconstruct: VAE_OK \n0 0 0 0\n")
    message(FATAL_ERROR "${program} printed: ${output}")
  endif()
  if(VAEC)
    run(${VAEC} -o ${WORK}/hand.so ${SOURCE}/Inputs/hand.json)
    run(${program} ${WORK}/hand.so)
    # mu = 0.5; sigmoid(relu([2 mu, -mu]) + 0.25)
    if(NOT output STREQUAL "hand reconstruct: VAE_OK \n0.7773 0.562177\n")
      message(FATAL_ERROR "${program} printed: ${output}")
    endif()
  endif()
  execute_process(COMMAND ${program} ${SOURCE}/stranger.c ERROR_VARIABLE errors RESULT_VARIABLE result)
  if(NOT result EQUAL 1 OR NOT errors MATCHES "stranger.c: expected a model library")
    message(FATAL_ERROR "${program} said of a text file: ${result} ${errors}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} --install ${BUILD} --component runtime --prefix ${prefix})

run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/stranger -B ${WORK}/cmake -DCMAKE_PREFIX_PATH=${prefix}
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_FLAGS=${FLAGS} -DCMAKE_CXX_FLAGS=${FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/cmake)
expect_stranger(${WORK}/cmake/stranger)
expect_stranger(${WORK}/cmake/stranger-static)

# The prefix may move: nothing in it knows where it was.
file(RENAME ${prefix} ${WORK}/moved)
set(ENV{PKG_CONFIG_PATH} ${WORK}/moved/${LIBDIR}/pkgconfig)
run(pkg-config --modversion vae-runtime)
run(pkg-config --cflags --libs vae-runtime)
separate_arguments(options UNIX_COMMAND "${output} ${FLAGS}")
run(${CC} -std=c11 -Wall -Wextra -Werror -pedantic ${SOURCE}/stranger.c ${options}
  -Wl,-rpath,${WORK}/moved/${LIBDIR} -o ${WORK}/stranger)
expect_stranger(${WORK}/stranger)
