# find_package(percolate) defines the target percolate::malloc: a program that links it has Percolate's malloc.
get_filename_component(percolate_prefix "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
string(REGEX REPLACE "/@LIBDIR@/cmake/percolate$" "" percolate_prefix "${percolate_prefix}")
if(NOT TARGET percolate::malloc)
    add_library(percolate::malloc SHARED IMPORTED)
    set_target_properties(percolate::malloc PROPERTIES
        IMPORTED_LOCATION "${percolate_prefix}/@LIBDIR@/libpercolate_malloc.so.@VERSION@"
        IMPORTED_SONAME "libpercolate_malloc.so.@INTERFACE@"
        INTERFACE_INCLUDE_DIRECTORIES "${percolate_prefix}/include")
    # Where a program names no function of the library, some linkers would leave it out.
    set_property(TARGET percolate::malloc PROPERTY INTERFACE_LINK_OPTIONS "LINKER:--no-as-needed")
endif()
unset(percolate_prefix)
