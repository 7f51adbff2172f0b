# Warnings, sanitizers and install facts that every target of ours shares.

function(vaec_target_options target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  if(VAEC_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

if(VAEC_SANITIZE)
  # Functions of compiled models have no signature in front of them, where a check of their types
  # would read, possibly before the first page of a library.
  add_compile_options(-fsanitize=${VAEC_SANITIZE} -fno-sanitize=function -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VAEC_SANITIZE})
endif()
