# Chart.js 3.9: the curves of reports; LINNET_CHART_JS is the path of the file that is embedded
find_file(LINNET_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(LINNET_CHART_JS)
if(NOT LINNET_CHART_JS)
  set(LINNET_CHART_JS ${PROJECT_BINARY_DIR}/third_party/chart.min.js CACHE FILEPATH "" FORCE)
  file(DOWNLOAD https://cdnjs.cloudflare.com/ajax/libs/Chart.js/3.9.1/chart.min.js ${LINNET_CHART_JS} EXPECTED_HASH
       SHA512=125445a0441d2391edea466fcb35e1606f4daa3b649a591f624d30afac07c54f491076a44bb50964d7a697900b93ef082a553a8c380c69b0b7be4ba646892024)
endif()
