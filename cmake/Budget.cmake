# Fails the build when the C that a privileged process maps outgrows its budget. Each has a folder of its own below privsep/ and
# shares the rest: conntrackd, which stays; ctd-start and ctd-open, which are root for a moment and enter no jail; ctd-keeper;
# ctd-queue. Code lines are lines that are neither blank nor comment only.
set(CT_PARENT_BUDGET 1500)
set(CT_KEEPER_BUDGET 600)
set(CT_START_BUDGET 1500)
set(CT_OPEN_BUDGET 1500)
set(CT_QUEUE_BUDGET 1765)
set(ct_count_commands)
function(ct_budget what limit)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/privsep/)
  string(REPLACE ";" "," roots "${ARGN}")
  set(ct_count_commands ${ct_count_commands} COMMAND ${CMAKE_COMMAND} "-DROOTS=${roots}" -DWHAT=${what} -DLIMIT=${limit}
    -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake PARENT_SCOPE)
endfunction()
ct_budget(parent ${CT_PARENT_BUDGET} base netlink ipc jail/jail.h jail/jail.c jail/landlock.c handover
  parent)
ct_budget(start ${CT_START_BUDGET} base text ipc setup jail/jail.h jail/rows.h jail/filter.c
  jail/parent_row.c handover spawn start)
ct_budget(open ${CT_OPEN_BUDGET} base text ipc setup jail/jail.h handover spawn open)
ct_budget(queue ${CT_QUEUE_BUDGET} base netlink/nlattr.h ipc jail/jail.h jail/rows.h jail/jail.c jail/landlock.c
  jail/filter.c jail/enter.c helper_msg queue)
ct_budget(keeper ${CT_KEEPER_BUDGET} base ipc jail/jail.h keeper)
add_custom_target(privsep_budget ALL ${ct_count_commands}
  COMMENT "Counting code lines of the privileged programs" VERBATIM)
