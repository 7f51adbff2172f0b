# libvae_runtime.so exports exactly what vae_runtime.h declares, and uses no
# function whose result may differ between machines or that ends the program or
# prints.
# cmake -DNM=... -DLIBRARY=... -DHEADER=... -P Exports.cmake
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE defined COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[A-Za-z] [^\n]+" defined "${defined}")
set(exported)
foreach(symbol ${defined})
  if(symbol MATCHES "^T (vae_[a-z0-9_]+)@@VAE_0$")
    list(APPEND exported ${CMAKE_MATCH_1})
  elseif(NOT symbol MATCHES "^A VAE_0$" AND NOT symbol MATCHES "^A VAE_0@@VAE_0$")
    message(SEND_ERROR "exported by mistake: ${symbol}")
  endif()
endforeach()

file(READ ${HEADER} header)
string(REGEX MATCHALL "VAE_API [^(]*[ *]vae_[a-z0-9_]+\\(" declarations "${header}")
set(declared)
foreach(declaration ${declarations})
  string(REGEX REPLACE ".*[ *](vae_[a-z0-9_]+)\\($" "\\1" name "${declaration}")
  list(APPEND declared ${name})
endforeach()
list(SORT exported)
list(SORT declared)
if(NOT exported STREQUAL declared OR NOT declared)
  message(SEND_ERROR "exported: ${exported}\ndeclared: ${declared}")
endif()

execute_process(COMMAND ${NM} -D --undefined-only ${LIBRARY} OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "U (log|cos|sin|exp|pow|sqrt|fma|floor)f?@[^\n]*" mathematics "${needed}")
string(REGEX MATCHALL "U (abort|exit|_exit|_Exit|quick_exit|printf|fprintf|vfprintf|puts|fputs|perror|write)@[^\n]*"
  output "${needed}")
if(mathematics OR output)
  message(SEND_ERROR "called: ${mathematics} ${output}")
endif()
