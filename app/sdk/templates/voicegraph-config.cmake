# find_package(voicegraph) gives the target voicegraph::voicegraph.
get_filename_component(_voicegraph_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET voicegraph::voicegraph)
  add_library(voicegraph::voicegraph SHARED IMPORTED)
  set_target_properties(voicegraph::voicegraph PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${_voicegraph_root}/include"
    IMPORTED_LOCATION "${_voicegraph_root}/@LIBRARY@"
    IMPORTED_IMPLIB "${_voicegraph_root}/lib/voicegraph.lib")
endif()
unset(_voicegraph_root)
