# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += %D%/launcher.c %D%/launcher.h
libleeway_la_SOURCES += \
    %D%/comm.c %D%/comm.h %D%/comm_internal.h \
    %D%/group.c %D%/group.h \
    %D%/join.c %D%/join.h \
    %D%/late.c %D%/late.h \
    %D%/life.c \
    %D%/mpi.c %D%/mpi.h \
    %D%/mpirun.c %D%/mpirun.h \
    %D%/net.c %D%/net.h \
    %D%/sums.c

# libleeway-mpi.so: a module, opened by a rank that an MPI launcher started, and linked with nothing
# of leeway's.
EXTRA_DIST += %D%/mpi_module.c tests/ranks/slurm.sh tests/ranks/torchrun.sh
if HAVE_MPI
mpimoduledir = $(pkglibdir)
mpimodule_DATA = libleeway-mpi.so
libleeway-mpi.so: %D%/mpi_module.c %D%/mpi.h %D%/launcher.h
	$(AM_V_GEN)$(CC) $(AM_CPPFLAGS) $(CPPFLAGS) $(MPI_CFLAGS) $(AM_CFLAGS) $(CFLAGS) -fPIC -shared \
	    $(LDFLAGS) -o $@ $(srcdir)/%D%/mpi_module.c $(MPI_LIBS)
CLEANFILES += libleeway-mpi.so
endif

suites += tests/test_dist_comm tests/test_dist_kill tests/test_dist_late tests/test_dist_train
tests_test_dist_kill_SOURCES = tests/test_dist_kill.c $(train_support)
tests_test_dist_train_SOURCES = tests/test_dist_train.c $(train_support)
